import type { Algorithm } from '@mapae/jwt'

/** The signature algorithms of proofs (RFC 9449 §4.3, item 5): all asymmetric, so that a proof shows possession. */
export const proofAlgorithms: readonly Algorithm[] = ['ES256', 'ES384', 'Ed25519', 'EdDSA', 'RS256', 'PS256']
