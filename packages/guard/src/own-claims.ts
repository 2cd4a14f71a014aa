import { type JwtClaims, JwtError } from '@mapae/jwt'
import { type AccessClaims, type Claims, checkAccessClaims } from './access-claims.ts'

/** Reads the app's own claims out of those of a token; what it throws refuses the token. A schema's `parse` will do. */
export type ReadOwnClaims<Own> = (claims: AccessClaims) => Own

/** Verified claims made into those of an admitted request. */
export type ClaimsReader<Own> = {
  /** Throws JwtError `claim_missing` or `claim_invalid`. */
  read(claims: JwtClaims): Claims<Own>
  /** Whether these very claims come from `read`. */
  hasRead(claims: AccessClaims): claims is Claims<Own>
}

/** The same claims are looked at once: a verifier that remembers tokens gives the same object for the same token. */
export function prepareClaims<Own>(complete: (claims: AccessClaims) => Claims<Own>): ClaimsReader<Own> {
  const known = new WeakMap<JwtClaims, Claims<Own>>()
  return {
    read(sent) {
      const before = known.get(sent)
      if (before) return before
      const claims = complete(checkAccessClaims(sent))
      known.set(sent, claims)
      if (claims !== sent) known.set(claims, claims)
      return claims
    },
    hasRead: (claims): claims is Claims<Own> => known.get(claims) === claims,
  }
}

/** Adds the app's own claims, as it reads them. */
export function withOwn<Own>(readOwn: ReadOwnClaims<Own>): (claims: AccessClaims) => Claims<Own> {
  return (claims) => {
    try {
      return Object.freeze({ ...claims, ...readOwn(claims) })
    } catch (cause) {
      const description = 'The claims of the access token are not those that this needs.'
      throw new JwtError({ code: 'claim_invalid', description, cause })
    }
  }
}
