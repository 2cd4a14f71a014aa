import type { AudiencePolicy, IssuerPolicy, TypePolicy } from '@mapae/jwt'
import { usageError } from './command-error.ts'

/** What was given about whom a token must be from and for. */
export interface Expected {
  readonly jwks?: string
  readonly issuer?: readonly string[]
  readonly audience?: readonly string[]
  readonly typ?: readonly string[]
  readonly 'dangerously-accept-any-issuer'?: boolean
  readonly 'dangerously-accept-any-audience'?: boolean
}

/**
 * Whom a token must be from and for. Who names a server's key set means that server's tokens: issuer and audience are its origin, as
 * Mapae has it, unless others are named or the comparison is waived aloud.
 */
export function verifyPolicy(given: Expected): IssuerPolicy & AudiencePolicy & TypePolicy {
  const issuer = expectedNames('issuer', given)
  const audience = expectedNames('audience', given)
  return {
    ...(issuer ? { issuer } : { dangerouslyAcceptAnyIssuer: true }),
    ...(audience ? { audience } : { dangerouslyAcceptAnyAudience: true }),
    ...(given.typ ? { typ: given.typ } : { dangerouslyAcceptAnyType: true }),
  }
}

/** The names to compare with, or undefined when the comparison is waived. */
export function expectedNames(name: 'issuer' | 'audience', given: Expected): readonly string[] | undefined {
  const waiver = `dangerously-accept-any-${name}` as const
  if (given[waiver] && given[name]) throw usageError(`--${waiver} and --${name} exclude each other.`)
  if (given[waiver]) return undefined
  const names = given[name] ?? originOf(given.jwks)
  if (names) return names
  throw usageError(`mapae token verify --key needs --${name}, or --${waiver}.`)
}

function originOf(url: string | undefined): readonly string[] | undefined {
  return url !== undefined && URL.canParse(url) ? [new URL(url).origin] : undefined
}
