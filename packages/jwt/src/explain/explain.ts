import { isJsonObject, type JsonObject, parseJsonObject } from '../json.ts'
import { decodeBytes, decodeSegment } from './base64url.ts'
import { measureToken, type TokenMeasure } from './budget.ts'
import { type LintOptions, lintClaims } from './lint.ts'
import { CLAIM_MEANINGS, HEADER_MEANINGS, TIME_CLAIMS } from './meanings.ts'

/** A token taken apart for a person. Nothing in it has been verified. */
export interface JwtExplanation {
  /** `jws` is signed and readable, `jwe` encrypted, `unknown` neither. */
  readonly form: 'jws' | 'jwe' | 'unknown'
  /** The segments as they are, between the dots. */
  readonly segments: readonly string[]
  readonly header: JsonObject | undefined
  readonly claims: JsonObject | undefined
  readonly headerMembers: readonly ExplainedMember[]
  readonly claimMembers: readonly ExplainedMember[]
  readonly times: ExplainedTimes
  readonly size: TokenMeasure
  readonly problems: readonly JwtProblem[]
}

export interface ExplainedMember {
  readonly name: string
  readonly value: unknown
  /** What it means, in a sentence, if it is a registered one. */
  readonly meaning: string | undefined
  /** When it stands for a moment: that moment, and how many seconds it is from now, less than zero if past. */
  readonly moment?: { readonly iso: string; readonly secondsFromNow: number }
}

export interface ExplainedTimes {
  readonly state: 'valid' | 'expired' | 'not_yet_valid' | 'never_expires' | 'unknown'
  /** Seconds until it expires, less than zero if it has. */
  readonly expiresIn: number | undefined
  /** Seconds from `iat` to `exp`. */
  readonly lifetime: number | undefined
}

export interface JwtProblem {
  readonly severity: 'error' | 'warning'
  readonly where: 'token' | 'header' | 'claims' | 'signature'
  readonly description: string
}

/**
 * Explains a token: its parts, what each header parameter and claim means, its times, its size, and what is wrong with it. Never
 * throws, whatever it is given, and verifies nothing. Pure: the same in Node, a browser and on a phone.
 */
export function explainJwt(
  token: string,
  options: { readonly clock?: (() => number) | undefined } = {},
): JwtExplanation {
  const now = (options.clock ?? Date.now)() / 1000
  const segments = token.split('.')
  const [first = '', second = ''] = segments
  const form = segments.length === 3 ? 'jws' : segments.length === 5 ? 'jwe' : 'unknown'
  const header = readObject(first)
  const claims = form === 'jws' ? readObject(second) : undefined
  return {
    form,
    segments,
    header: objectOf(header),
    claims: objectOf(claims),
    headerMembers: explainMembers(objectOf(header), HEADER_MEANINGS, now),
    claimMembers: explainMembers(objectOf(claims), CLAIM_MEANINGS, now),
    times: explainTimes(objectOf(claims), now),
    size: measureToken(token),
    problems: [
      ...formProblems(form, segments),
      ...headerProblems(header),
      ...claimsProblems(claims, { now, personalData: personalDataIn(objectOf(header)) }),
      ...sizeProblems(token.length),
    ],
  }
}

function readObject(segment: string): JsonObject | string {
  const text = decodeSegment(segment)
  return text === undefined ? 'is not canonical base64url of UTF-8' : parseJsonObject(text)
}

function objectOf(read: JsonObject | string | undefined): JsonObject | undefined {
  return isJsonObject(read) ? read : undefined
}

function explainMembers(
  object: JsonObject | undefined,
  meanings: ReadonlyMap<string, string>,
  now: number,
): readonly ExplainedMember[] {
  return Object.entries(object ?? {}).map(([name, value]) => {
    const member = { name, value, meaning: meanings.get(name) }
    const moment = TIME_CLAIMS.includes(name) ? momentOf(value, now) : undefined
    return moment ? { ...member, moment } : member
  })
}

/** The last second that a Date can hold. */
const LAST_SECOND = 8.64e12

function momentOf(value: unknown, now: number): ExplainedMember['moment'] {
  if (typeof value !== 'number' || !(Math.abs(value) <= LAST_SECOND)) return undefined
  return { iso: new Date(value * 1000).toISOString(), secondsFromNow: value - now }
}

function explainTimes(claims: JsonObject | undefined, now: number): ExplainedTimes {
  const { exp, nbf, iat } = claims ?? {}
  const expires = typeof exp === 'number' ? exp : undefined
  const issued = typeof iat === 'number' ? iat : undefined
  return {
    state: stateOf({ claims, expires, starts: typeof nbf === 'number' ? nbf : undefined, now }),
    expiresIn: expires === undefined ? undefined : expires - now,
    lifetime: expires === undefined || issued === undefined ? undefined : expires - issued,
  }
}

function stateOf(times: {
  claims: JsonObject | undefined
  expires: number | undefined
  starts: number | undefined
  now: number
}): ExplainedTimes['state'] {
  if (!times.claims) return 'unknown'
  if (times.expires !== undefined && times.now >= times.expires) return 'expired'
  if (times.starts !== undefined && times.now < times.starts) return 'not_yet_valid'
  return times.expires === undefined ? 'never_expires' : 'valid'
}

function formProblems(form: JwtExplanation['form'], segments: readonly string[]): readonly JwtProblem[] {
  const [, , third = ''] = segments
  if (form === 'unknown')
    return [error('token', `A JWT has three segments between dots, this has ${segments.length}.`)]
  const signature = form === 'jws' ? third : undefined
  if (signature === '') return [error('signature', 'The token has no signature: anyone can have written it.')]
  const isReadable = signature === undefined || decodeBytes(signature) !== undefined
  return isReadable ? [] : [error('signature', 'The signature is not canonical base64url.')]
}

/** Header parameters by which a sender offers its own key. */
const KEY_PARAMETERS = ['jwk', 'jku', 'x5u', 'x5c']

function headerProblems(header: JsonObject | string): readonly JwtProblem[] {
  if (typeof header === 'string') return [error('header', `The header ${header}.`)]
  const { alg, typ, kid, crit, b64 } = header
  const offered = KEY_PARAMETERS.filter((name) => header[name] !== undefined)
  return [
    ...(typeof alg === 'string' ? [] : [error('header', 'The header names no algorithm (alg).')]),
    ...(typeof alg === 'string' && alg.toLowerCase() === 'none'
      ? [error('header', 'The algorithm none is no signature.')]
      : []),
    ...(crit === undefined && b64 === undefined
      ? []
      : [error('header', 'The header asks for an extension that is not supported.')]),
    ...(typeof typ === 'string'
      ? []
      : [warning('header', 'The header names no type (typ), so one kind of token can pass for another.')]),
    ...(typeof kid === 'string' ? [] : [warning('header', 'The header names no key (kid).')]),
    ...offered.map((name) =>
      warning('header', `The sender offers its own key (${name}); a verifier must not use it.`),
    ),
  ]
}

/** Claims beyond which an access token outlives what was decided when it was made. */
const LONG_LIFETIME = 86_400

function claimsProblems(
  claims: JsonObject | string | undefined,
  { now, personalData }: { now: number } & LintOptions,
): readonly JwtProblem[] {
  if (claims === undefined) return []
  if (typeof claims === 'string') return [error('claims', `The payload ${claims}.`)]
  const times = explainTimes(claims, now)
  const missing = ['iss', 'sub', 'aud'].filter((name) => claims[name] === undefined)
  return [
    ...(times.state === 'expired' ? [error('claims', 'The token has expired.')] : []),
    ...(times.state === 'not_yet_valid' ? [error('claims', 'The token is not valid yet (nbf).')] : []),
    ...(times.state === 'never_expires' ? [warning('claims', 'The token never expires (exp).')] : []),
    ...((times.lifetime ?? 0) > LONG_LIFETIME
      ? [warning('claims', 'The token lives longer than a day.')]
      : []),
    ...['exp', 'nbf', 'iat']
      .filter((name) => isMilliseconds(claims[name]))
      .map((name) => warning('claims', `${name} looks like milliseconds; it is seconds.`)),
    ...['exp', 'nbf', 'iat']
      .filter((name) => isNoNumber(claims[name]))
      .map((name) => error('claims', `${name} is not a number.`)),
    ...missing.map((name) => warning('claims', `The claim ${name} is missing.`)),
    ...lintClaims(claims, { personalData }).map(({ severity, description }) =>
      severity === 'refuse' ? error('claims', description) : warning('claims', description),
    ),
  ]
}

/** Access tokens (RFC 9068 §2.1) have no business with personal data; others may be ID tokens, which do. */
function personalDataIn(header: JsonObject | undefined): LintOptions['personalData'] {
  return /^(?:application\/)?at\+jwt$/i.test(String(header?.['typ'])) ? 'refuse' : 'warn'
}

function isMilliseconds(value: unknown): boolean {
  return typeof value === 'number' && value > 1e11
}

function isNoNumber(value: unknown): boolean {
  return value !== undefined && !Number.isFinite(value)
}

function sizeProblems(length: number): readonly JwtProblem[] {
  if (length >= 1800)
    return [warning('token', `The token has ${length} characters; phones' key stores hold 2048 bytes.`)]
  return length >= 1024
    ? [warning('token', `The token has ${length} characters, and every request carries it.`)]
    : []
}

function error(where: JwtProblem['where'], description: string): JwtProblem {
  return { severity: 'error', where, description }
}

function warning(where: JwtProblem['where'], description: string): JwtProblem {
  return { severity: 'warning', where, description }
}
