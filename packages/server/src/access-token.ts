import { createVerifier, decodeUnverified, type JwtClaims, JwtError } from '@mapae/jwt'
import { AuthError } from './auth-error.ts'
import { seconds } from './clock.ts'
import type { Context } from './context.ts'
import { ownClaims } from './own-claims.ts'
import type { SessionRecord } from './store/sessions.ts'
import { holdToBudget } from './token-budget.ts'
import { newTokenId } from './token-id.ts'

/** What a verified access token of ours says (RFC 9068 §2.2, and Mapae's `sid` and `epoch`). */
export interface AccessTokenClaims extends JwtClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: string
  readonly exp: number
  readonly iat: number
  readonly jti: string
  readonly client_id: string
  readonly sid: string
  readonly epoch: number
}

export interface AccessToken {
  readonly token: string
  readonly claims: AccessTokenClaims
  /** Seconds until it expires. */
  readonly expiresIn: number
}

export type AccessTokenCheck =
  | { readonly type: 'valid'; readonly claims: AccessTokenClaims }
  /** Made with a key that was withdrawn since, perhaps by whoever stole that key. */
  | { readonly type: 'withdrawn'; readonly claims: AccessTokenClaims }
  | { readonly type: 'invalid'; readonly description: string }

/** `client_id` (RFC 9068 §2.2, required) of the sessions that people open at `/auth/login` itself. */
export const FIRST_PARTY = 'first-party'

/**
 * Mints an access token for a session as it stands, bound to its key if it has one; it never outlives the session. Throws
 * `claims_refused` for what the `claims` option adds, or for a token that it makes too large: mint before anything is written.
 */
export async function mintAccessToken(ctx: Context, session: MintedFor): Promise<AccessToken> {
  const now = ctx.clock()
  const iat = seconds(now)
  const exp = Math.min(iat + ctx.settings.accessTokenLifetime, seconds(session.expiresAt))
  const roles = parseList(session.roles)
  const scopes = parseList(session.scopes)
  const claims: AccessTokenClaims = {
    ...ownClaims(ctx, { id: session.accountId, roles, scopes }),
    iss: ctx.settings.url,
    sub: session.accountId,
    aud: ctx.settings.audience,
    client_id: session.clientId ?? FIRST_PARTY,
    sid: session.id,
    epoch: session.epoch,
    jti: newTokenId(),
    iat,
    exp,
    auth_time: seconds(session.authTime),
    amr: parseList(session.amr),
    ...(session.jkt !== null && { cnf: { jkt: session.jkt } }),
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    ...(roles.length > 0 && { roles }),
  }
  const token = await sign(ctx, claims)
  holdToBudget(ctx, token, session.accountId)
  ctx.knownTokens.add(token)
  return { token, claims, expiresIn: exp - iat }
}

/** What a signer refuses of claims can only be what was added to those of ours. */
async function sign(ctx: Context, claims: AccessTokenClaims): Promise<string> {
  try {
    return await ctx.signingKeys.sign(claims)
  } catch (thrown) {
    const isOfClaims = thrown instanceof JwtError && /^claim_invalid$|^token_too_large$/.test(thrown.code)
    throw isOfClaims ? new AuthError('claims_refused', thrown.description) : thrown
  }
}

type MintedFor = Pick<
  SessionRecord,
  'id' | 'accountId' | 'clientId' | 'epoch' | 'roles' | 'scopes' | 'expiresAt' | 'authTime' | 'amr' | 'jkt'
>

/** How many verified tokens are kept, some 2 KB each: a device sends the same one until it expires. */
const REMEMBERED = 10_000

/** Checks tokens of ours, in two ways: as an API does, and for renewal, which forgives the expiry alone. */
export interface AccessTokens {
  /** In date and ours. */
  check(token: string): Promise<AccessTokenCheck>
  /** Ours and not tampered with, whatever the time (M3, step 13). */
  checkForRenewal(token: string): Promise<AccessTokenCheck>
}

export function createAccessTokens(ctx: Context): AccessTokens {
  const policy = {
    keys: ctx.signingKeys.proving,
    issuer: ctx.settings.url,
    typ: 'at+jwt',
    requiredClaims: ['sub', 'sid', 'epoch', 'jti', 'iat', 'client_id'],
    clock: ctx.clock,
  }
  const now = createVerifier({ ...policy, audience: ctx.settings.audience, cache: { max: REMEMBERED } })
  // The time and the audience are forgiven, so that neither an expiry nor a changed option logs anyone out.
  const forgiving = { ...policy, dangerouslyAcceptAnyAudience: true, dangerouslyIgnoreTimes: true } as const
  const ever = createVerifier(forgiving)
  const withdrawn = createVerifier({ ...forgiving, keys: ctx.signingKeys.withdrawn })

  return {
    check: (token) => check(now, token),
    async checkForRenewal(token) {
      await ctx.signingKeys.load()
      const known = knownClaims(token)
      if (known) return { type: 'valid', claims: known }
      const checked = await check(ever, token)
      if (checked.type === 'valid') ctx.knownTokens.add(token)
      return checked
    },
  }

  /** The claims of a token that this process has signed or verified before, if its key is still in force. */
  function knownClaims(token: string): AccessTokenClaims | undefined {
    if (!ctx.knownTokens.has(token)) return undefined
    const { header, claims } = decodeUnverified(token)
    return ctx.signingKeys.proving.find(header) && ours(claims)
  }

  /** A token of a key that is not at hand may be of one that another replica has just made, or of a withdrawn one. */
  async function check(verify: Verify, token: string): Promise<AccessTokenCheck> {
    await ctx.signingKeys.load()
    const verified = attempt(verify, token)
    if (verified.type !== 'invalid' || verified.code !== 'key_not_found') return verified
    const { kid } = decodeUnverified(token).header
    await ctx.signingKeys.load(kid)
    if (kid === undefined || !ctx.signingKeys.isWithdrawn(kid)) return attempt(verify, token)
    const checked = attempt(withdrawn, token)
    return checked.type === 'valid' ? { type: 'withdrawn', claims: checked.claims } : checked
  }
}

type Verify = (token: string) => { readonly claims: JwtClaims }

function attempt(
  verify: Verify,
  token: string,
):
  | { readonly type: 'valid'; readonly claims: AccessTokenClaims }
  | { readonly type: 'invalid'; readonly description: string; readonly code: string } {
  try {
    return { type: 'valid', claims: ours(verify(token).claims) }
  } catch (thrown) {
    if (thrown instanceof JwtError)
      return { type: 'invalid', description: thrown.description, code: thrown.code }
    throw thrown
  }
}

function ours(claims: JwtClaims): AccessTokenClaims {
  const { iss, sub, aud, exp, iat, jti, client_id, sid, epoch } = claims
  if (
    typeof iss !== 'string' ||
    typeof sub !== 'string' ||
    typeof aud !== 'string' ||
    typeof exp !== 'number' ||
    typeof iat !== 'number' ||
    typeof jti !== 'string' ||
    typeof client_id !== 'string' ||
    typeof sid !== 'string' ||
    typeof epoch !== 'number'
  ) {
    throw new JwtError({
      code: 'claim_invalid',
      description: 'A claim of the access token has the wrong type.',
    })
  }
  return { ...claims, iss, sub, aud, exp, iat, jti, client_id, sid, epoch }
}

/** A list as the tables keep it: JSON text that we wrote. */
export function parseList(text: string): readonly string[] {
  const list: unknown = JSON.parse(text)
  return Array.isArray(list) ? list.filter((item) => typeof item === 'string') : []
}
