/** Every refusal that Mapae gives, over HTTP or to server code: its status and its English title. Codes are stable. */
export const refusals = {
  invalid_request: { status: 400, title: 'The request is malformed' },
  invalid_json: { status: 400, title: 'The body is not valid JSON' },
  invalid_idempotency_key: {
    status: 400,
    title: 'The Idempotency-Key is not 22 to 128 base64url characters',
  },
  repeated_cookie: { status: 400, title: 'A credential cookie was sent more than once' },
  access_token_required: { status: 400, title: 'The access token must be sent along, even an expired one' },
  refresh_token_required: { status: 400, title: 'No refresh token was sent' },
  invalid_identifier: { status: 400, title: 'The e-mail address or username cannot be used' },
  invalid_role: {
    status: 400,
    title: 'A role has 1 to 64 letters and digits, with . _ : / @ - between them',
  },
  invalid_scope: {
    status: 400,
    title: 'A scope has 1 to 128 ASCII characters without spaces, quotes and \\',
  },
  too_many_grants: { status: 400, title: 'These are more roles and scopes than an access token can carry' },
  password_too_short: { status: 400, title: 'The password has fewer than 8 characters' },
  password_too_long: { status: 400, title: 'The password has more than 1024 characters' },
  password_too_common: { status: 400, title: 'The password is one of the most common ones' },
  password_too_obvious: {
    status: 400,
    title: 'The password has fewer than 8 characters besides names of the account and of this site',
  },
  // RFC 9449: 400 where tokens are handed out (§5, §8), 401 where one is presented (§7.1, §9).
  invalid_dpop_proof: { status: 400, atResource: 401, title: 'The DPoP proof is not valid' },
  use_dpop_nonce: { status: 400, atResource: 401, title: 'The DPoP proof needs the nonce of this server' },
  invalid_code: { status: 400, title: 'The code is wrong, used, replaced by a newer one, or expired' },
  token_required: { status: 401, title: 'An access token is required' },
  invalid_token: { status: 401, title: 'The access token is not valid' },
  invalid_credentials: { status: 401, title: 'The identifier or the password is wrong' },
  invalid_grant: { status: 401, title: 'The refresh token is not valid' },
  session_ended: { status: 401, title: 'The session has ended' },
  refresh_superseded: { status: 401, title: 'A newer refresh token was handed out already' },
  account_disabled: { status: 403, title: 'The account is disabled' },
  wrong_password: { status: 403, title: 'The password is wrong' },
  reauthentication_required: {
    status: 403,
    title: 'The account must be shown too: by a session of it, or by its password',
  },
  origin_not_allowed: { status: 403, title: 'The page that sent this is not allowed to' },
  not_found: { status: 404, title: 'There is nothing here' },
  method_not_allowed: { status: 405, title: 'This address does not take that method' },
  identifier_taken: { status: 409, title: 'The e-mail address or username is taken' },
  nothing_to_verify: { status: 409, title: 'The account has no unverified e-mail address' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json' },
  too_many_tries: { status: 429, title: 'Tried too often; try again after the time in Retry-After' },
  headers_too_large: { status: 431, title: 'The header fields are too large' },
  claims_refused: { status: 500, title: "This server's own claims cannot be put into an access token" },
  internal_error: { status: 500, title: 'Something broke on our side' },
  mail_not_configured: { status: 501, title: 'This server sends no mail' },
  busy: { status: 503, title: 'Too much at once; try again shortly' },
  store_unavailable: { status: 503, title: 'The database does not answer; try again shortly' },
  clock_skewed: { status: 503, title: "This server's clock differs from its database's" },
} as const

export type RefusalCode = keyof typeof refusals

/** The status of a refusal; where an access token was presented as such, that may be another. */
export function statusOf(code: RefusalCode, { atResource }: { atResource: boolean }): number {
  const refusal = refusals[code]
  return atResource && 'atResource' in refusal ? refusal.atResource : refusal.status
}

/**
 * A request refused, or an option that cannot be. `message` is public and never holds a secret; the
 * evidence for the log is in `cause`.
 */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  readonly code: RefusalCode | 'options_invalid'
  /** Further members of the problem document (RFC 9457 §3.2). */
  readonly members: Readonly<Record<string, unknown>>
  /** Whether it is the answer of a protected resource, to an access token: {@link statusOf}. */
  readonly atResource: boolean

  constructor(
    code: AuthError['code'],
    description?: string,
    {
      members = {},
      cause,
      atResource = false,
    }: { members?: Readonly<Record<string, unknown>>; cause?: unknown; atResource?: boolean } = {},
  ) {
    super(description ?? (code === 'options_invalid' ? code : refusals[code].title), { cause })
    this.code = code
    this.members = members
    this.atResource = atResource
  }
}
