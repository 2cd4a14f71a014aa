import type { TokenScheme } from './dpop/binding.ts'
import { readAuthorization } from './http/authorization.ts'
import { readCookie } from './http/cookie.ts'
import { judgeOrigin } from './http/origin.ts'
import { invalidRequest, originNotAllowed, type Refusal } from './refusal.ts'
import type { GuardRequest } from './request.ts'
import type { Settings } from './settings.ts'

/** Where a guard takes tokens from. */
export type CredentialSources = Pick<Settings, 'readsHeader' | 'cookie' | 'schemes' | 'resourceMetadata'>

export type Credential =
  | {
      readonly type: 'token'
      readonly token: string
      readonly scheme: TokenScheme
      readonly from: 'header' | 'cookie'
    }
  | { readonly type: 'none' }
  | Refusal

/**
 * Finds the access token of a request. The `Authorization` field is looked at first, and a Bearer or DPoP credential in
 * it decides, good or bad; only without one does the cookie count. Never looks at the URL or the body.
 */
export function findCredential(sources: CredentialSources, request: GuardRequest): Credential {
  const sent = readAuthorization(sources.readsHeader ? request.header('authorization') : undefined)
  switch (sent.type) {
    case 'malformed':
      return invalidRequest(sources, 'The Authorization field must hold one access token, once.')
    case 'token':
      return { type: 'token', token: sent.token, scheme: sent.scheme, from: 'header' }
    case 'none':
    case 'other':
      return findCookie(sources, request)
  }
}

function findCookie(sources: CredentialSources, request: GuardRequest): Credential {
  const { cookie } = sources
  if (!cookie) return none
  const sent = readCookie(request.header('cookie'), cookie.name)
  switch (sent.type) {
    case 'none':
      return none
    case 'repeated':
      return invalidRequest(sources, 'The cookie with the access token was sent more than once.')
    case 'value':
      if (isForged(cookie, request)) return originNotAllowed()
      return { type: 'token', token: sent.value, scheme: 'Bearer', from: 'cookie' }
  }
}

const none: Credential = { type: 'none' }

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
