import { type JwtClaims, JwtError } from '@mapae/jwt'
import { type AccessClaims, type Claims, checkAccessClaims } from './access-claims.ts'
import { type Admitter, provenanceOf, stamp } from './provenance.ts'

/** Reads the app's own claims out of those of a token; what it throws refuses the token. A schema's `parse` will do. */
export type ReadOwnClaims<Own> = (claims: AccessClaims) => Own

/** Verified claims made into those of an admitted request. */
export type ClaimsReader<Own> = {
  /** Those of a token that the key `kid` signed. Throws JwtError `claim_missing` or `claim_invalid`. */
  read(claims: JwtClaims, kid: string | undefined): Claims<Own>
  /** Whether these very claims come from `read`. */
  hasRead(claims: unknown): claims is Claims<Own>
  /** The key that signed the token of these very claims, where they come from a reader. */
  kidOf(claims: AccessClaims): string | undefined
}

/**
 * Claims come out frozen, with a mark of the guard that they are read for. With `remembers`, the same claims are looked at once: a
 * verifier that remembers tokens gives the same object for the same token. Without, a memory would only cost: each object comes once.
 */
export function prepareClaims<Own>(
  complete: (claims: AccessClaims) => Claims<Own>,
  { remembers, resourceMetadata }: Admitter & { readonly remembers: boolean },
): ClaimsReader<Own> {
  const known = remembers ? new WeakMap<JwtClaims, Claims<Own>>() : undefined
  const by: Admitter = { resourceMetadata }
  return {
    read(sent, kid) {
      const before = known?.get(sent)
      if (before) return before
      const read = complete(checkAccessClaims(sent))
      const claims = Object.isExtensible(read) ? read : { ...read }
      stamp(claims, { by, kid })
      Object.freeze(claims)
      known?.set(sent, claims)
      return claims
    },
    hasRead: (claims): claims is Claims<Own> => provenanceOf(claims)?.by === by,
    kidOf: (claims) => provenanceOf(claims)?.kid,
  }
}

/** Adds the app's own claims, as it reads them. */
export function withOwn<Own>(readOwn: ReadOwnClaims<Own>): (claims: AccessClaims) => Claims<Own> {
  return (claims) => {
    try {
      return { ...claims, ...readOwn(claims) }
    } catch (cause) {
      const description = 'The claims of the access token are not those that this needs.'
      throw new JwtError({ code: 'claim_invalid', description, cause })
    }
  }
}
