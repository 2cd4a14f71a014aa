import { readAuthorization } from './http/authorization.ts'
import { readCookie } from './http/cookie.ts'
import { judgeOrigin } from './http/origin.ts'
import { invalidRequest, invalidToken, originNotAllowed, type Refusal, tokenRequired } from './refusal.ts'
import type { GuardRequest } from './request.ts'
import type { Settings } from './settings.ts'

/** Where a guard takes tokens from. */
export type CredentialSources = Pick<Settings, 'readsHeader' | 'cookie'>

export type Credential = { readonly type: 'token'; readonly token: string } | Refusal

/**
 * Finds the access token of a request. The `Authorization` field is looked at first, and a Bearer or DPoP credential in
 * it decides, good or bad; only without one does the cookie count. Never looks at the URL or the body.
 */
export function findCredential(sources: CredentialSources, request: GuardRequest): Credential {
  const sent = readAuthorization(sources.readsHeader ? request.header('authorization') : undefined)
  switch (sent.type) {
    case 'malformed':
      return invalidRequest('The Authorization field must hold one Bearer token, once.')
    case 'token':
      return sent.scheme === 'Bearer' ? sent : invalidToken('DPoP proofs are not taken here.')
    case 'none':
    case 'other':
      return findCookie(sources.cookie, request)
  }
}

function findCookie(cookie: CredentialSources['cookie'], request: GuardRequest): Credential {
  if (!cookie) return tokenRequired()
  const sent = readCookie(request.header('cookie'), cookie.name)
  switch (sent.type) {
    case 'none':
      return tokenRequired()
    case 'repeated':
      return invalidRequest('The cookie with the access token was sent more than once.')
    case 'value':
      return isForged(cookie, request) ? originNotAllowed() : { type: 'token', token: sent.value }
  }
}

/** Browsers add cookies to requests that other people's pages make; those must not change anything (CSRF). */
function isForged(cookie: NonNullable<CredentialSources['cookie']>, request: GuardRequest): boolean {
  const isSocket = request.header('upgrade') !== undefined
  if (safeMethods.has(request.method) && !isSocket) return false
  const header = (name: string) => request.header(name)
  const { ownOrigin, allowedOrigins } = cookie
  return judgeOrigin({ header, ownOrigin, allowedOrigins, cookiesSent: true }) === 'refused'
}

/** RFC 9110 §9.2.1. A method in other letters is another method. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
