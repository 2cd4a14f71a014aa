import { proofAlgorithms } from '../dpop/algorithms.ts'
import type { TokenScheme } from '../dpop/binding.ts'

/** What a `WWW-Authenticate` field tells the client (RFC 6750 §3, RFC 9449 §7.1, RFC 9470 §3, RFC 9728 §5.1). */
export type Challenge = {
  readonly scheme: TokenScheme
  readonly realm?: string
  /** Left out when the request carried no token at all (RFC 6750 §3.1). */
  readonly error?: string
  readonly description?: string
  /** The scope that the resource needs: names, or one string with spaces between them. */
  readonly scope?: string | readonly string[]
  /** The algorithms that proofs may be signed with (RFC 9449 §7.1). */
  readonly algs?: readonly string[]
  /** How the person must have logged in: one of these (RFC 9470 §3). */
  readonly acrValues?: readonly string[]
  /** How long ago the person may have logged in, in seconds (RFC 9470 §3). */
  readonly maxAge?: number | undefined
  /** Where the metadata of the resource are (RFC 9728 §5.1). */
  readonly resourceMetadata?: string | undefined
}

/**
 * Writes a `WWW-Authenticate` value such as `Bearer error="invalid_token", error_description="…"`.
 *
 * Values are held to the characters of RFC 6750 §3: a double quote becomes a single one, any other character that may
 * not stand in the field a question mark, so that no value can end its quotes or its line.
 */
export function challenge(says: Challenge): string {
  const parameters: readonly (readonly [string, string | undefined])[] = [
    ['realm', says.realm],
    ['error', says.error],
    ['error_description', says.description],
    ['scope', typeof says.scope === 'string' ? says.scope : says.scope?.join(' ')],
    ['acr_values', says.acrValues?.join(' ')],
    ['max_age', says.maxAge?.toString()],
    ['resource_metadata', says.resourceMetadata],
    ['algs', says.algs?.join(' ')],
  ]
  const written = parameters.flatMap(([name, value]) => (value ? [`${name}="${quotable(value)}"`] : []))
  return [says.scheme, written.join(', ')].join(' ').trim()
}

/**
 * Writes one challenge for each scheme that is taken, in one value. What there is to say stands with the scheme that the
 * request used, or with the first one where that is not known (RFC 9449 §7.2).
 */
export function challenges(
  schemes: readonly TokenScheme[],
  says: Omit<Challenge, 'scheme' | 'algs'>,
  used?: TokenScheme,
): string {
  const speaks = schemes.find((scheme) => scheme === used) ?? schemes[0]
  return schemes
    .map((scheme) =>
      challenge({
        scheme,
        ...(scheme === speaks && says),
        ...(scheme === 'DPoP' && { algs: proofAlgorithms }),
      }),
    )
    .join(', ')
}

function quotable(value: string): string {
  return value.replaceAll('"', "'").replace(/[^\x20-\x5b\x5d-\x7e]/gu, '?')
}
