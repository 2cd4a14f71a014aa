import {
  createNonces,
  createProofCheck,
  type ProofCheck,
  type ProvenRequest,
  type SeenProofs,
} from '@mapae/guard/dpop'
import type { Clock } from './clock.ts'
import type { ServerSecret } from './server-secret.ts'
import { insertProof } from './store/dpop-proofs.ts'
import type { Store } from './store/open-store.ts'

/** A proof as it came, not looked at yet. */
export type SentProof = Pick<ProvenRequest, 'field' | 'method' | 'uri'>

/** DPoP (RFC 9449), as all replicas of this server see it. */
export interface Proofs {
  /** Checks a proof, which needs a nonce of this server. Rejects with `StoreError` when the database does not answer. */
  readonly check: ProofCheck
  /** The nonce for the next proof (RFC 9449 §8). */
  readonly nonce: () => string
}

/**
 * Proofs are remembered in a table, for all replicas, until they are swept. The nonces are made of the server secret and stored nowhere. Every
 * endpoint asks for one, because the client was given one (RFC 9449 §11.3).
 */
export function createProofs({
  store,
  secrets,
  clock,
}: {
  readonly store: Store
  readonly secrets: readonly ServerSecret[]
  readonly clock: Clock
}): Proofs {
  const nonces = createNonces({ keys: secrets.map((secret) => secret.nonceKey), clock })
  const seen = createSeenProofs(store)
  return { check: createProofCheck({ seen, nonces, clock }), nonce: () => nonces.current() }
}

function createSeenProofs({ db }: Store): SeenProofs {
  return { seenBefore: async (hash, expiresAt) => !(await insertProof(db, { hash, expiresAt })) }
}
