import { createHash } from 'node:crypto'
import type { DpopNonces } from './nonces.ts'
import { type Proof, readProof } from './proof.ts'
import type { SeenProofs } from './seen-proofs.ts'
import { normalizedUri } from './target-uri.ts'

/** A request, as far as its DPoP proof speaks of it. */
export interface ProvenRequest {
  /** The `DPoP` field; a repeated one joined with `, `. */
  readonly field: string | undefined
  readonly method: string
  /** The public URI that it was sent to. Its origin comes from configuration, not from the `Host` field. */
  readonly uri: string
  /** The access token that went along. @default none, and then the proof may not speak of one */
  readonly accessToken?: string | undefined
  /** The thumbprint of the key that the token or session is bound to. @default any key will do */
  readonly jkt?: string | undefined
}

export type ProofVerdict =
  | {
      readonly type: 'proven'
      readonly jkt: string
      /** A newer nonce than the proof's own, for the client to use from now on (RFC 9449 §8.2). */
      readonly nextNonce: string | undefined
    }
  | { readonly type: 'invalid_dpop_proof'; readonly description: string }
  /** The same request with a new proof that holds this nonce will do. */
  | { readonly type: 'use_dpop_nonce'; readonly description: string; readonly nonce: string }

export type ProofCheck = (request: ProvenRequest) => Promise<ProofVerdict>

/** How long after its `iat`, and how long before, a proof is taken where there are no nonces. Milliseconds. */
const oldest = 60_000
const ahead = 5000
/** Proofs are remembered this much longer than they are good, since clocks step back and those of replicas differ. */
const margin = 60_000

/**
 * Prepares the check of DPoP proofs by RFC 9449 §4.3. Only a proof that is right in every other way is remembered, under its
 * key and `jti`, so that nobody can use up the proofs of another client.
 *
 * With `nonces` every proof needs one of them, and the nonce alone tells how old the proof is (items 10 and 11, §11.1), so
 * that a device whose clock is wrong is served; without, `iat` may be 60 s old and 5 s ahead.
 *
 * Rejects only when `seen` does.
 */
export function createProofCheck(options: {
  readonly seen: SeenProofs
  readonly nonces?: DpopNonces | undefined
  /** The time in milliseconds. @default Date.now */
  readonly clock?: (() => number) | undefined
}): ProofCheck {
  const { seen, nonces, clock = Date.now } = options
  return async (request) => {
    const proof = readProof(request.field)
    if (proof.type === 'faulty') return invalid(proof.fault)
    const fault = misfit(proof, request)
    if (fault !== undefined) return invalid(fault)

    const { nonce } = proof.claims
    const goodUntil = nonces ? acceptedUntil(nonces, nonce) : endOf(proof, clock())
    if (goodUntil === undefined)
      return nonces ? needsNonce(nonces) : invalid('The iat of the proof is too far from now.')
    if (await seen.seenBefore(nameOf(proof), goodUntil + margin)) return invalid('The proof was used before.')

    const current = nonces?.current()
    return { type: 'proven', jkt: proof.jkt, nextNonce: current === nonce ? undefined : current }
  }
}

/** Items 8, 9 and 12: why the proof is not for this request, this token and this key. */
function misfit({ claims, jkt }: Proof, request: ProvenRequest): string | undefined {
  if (claims['htm'] !== request.method) return 'The proof is for another method (htm).'
  const uri = normalizedUri(request.uri)
  if (uri === undefined || normalizedUri(claims['htu']) !== uri) return 'The proof is for another URI (htu).'
  if (claims['ath'] !== hashOf(request.accessToken))
    return 'The proof is not for the access token that was sent (ath).'
  if (request.jkt !== undefined && jkt !== request.jkt)
    return 'The proof was made with another key than the bound one.'
  return undefined
}

/** Item 10. */
function acceptedUntil(nonces: DpopNonces, nonce: unknown): number | undefined {
  return typeof nonce === 'string' ? nonces.acceptedUntil(nonce) : undefined
}

/** Item 11. Written so that a clock which gives NaN refuses everything. */
function endOf({ iat }: Proof, now: number): number | undefined {
  const made = iat * 1000
  return made <= now + ahead && now < made + oldest ? made + oldest : undefined
}

function nameOf({ jkt, jti }: Proof): string {
  return createHash('sha256').update(`${jkt}.${jti}`).digest('base64url')
}

function hashOf(accessToken: string | undefined): string | undefined {
  return accessToken === undefined ? undefined : createHash('sha256').update(accessToken).digest('base64url')
}

function invalid(description: string): ProofVerdict {
  return { type: 'invalid_dpop_proof', description }
}

function needsNonce(nonces: DpopNonces): ProofVerdict {
  const description = 'The proof needs the nonce of the DPoP-Nonce field.'
  return { type: 'use_dpop_nonce', description, nonce: nonces.current() }
}
