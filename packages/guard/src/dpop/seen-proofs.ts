/**
 * Remembers proofs, so that each works once (RFC 9449 §11.1). Replicas that serve one address share one, or a proof works
 * once on each of them.
 */
export interface SeenProofs {
  /**
   * Whether the proof was seen before; if not, it is from now on. Of any number of callers at once, one hears false.
   * `proof` is a hash (43 base64url characters) that is one client's own; `expiresAt` is when it may be forgotten, in
   * milliseconds. Rejects when that cannot be told: the request is then answered with 503.
   */
  seenBefore(proof: string, expiresAt: number): boolean | Promise<boolean>
}

/**
 * Proofs in the memory of one process, at most `max` of them (100,000 take about 20 MB). When more arrive within their
 * lifetime (two minutes; with nonces, nine), the oldest are forgotten early.
 */
export function rememberProofs(
  options: { readonly max?: number | undefined; readonly clock?: (() => number) | undefined } = {},
): SeenProofs {
  const { max = 100_000, clock = Date.now } = options
  const proofs = new Map<string, number>()
  return {
    seenBefore(proof, expiresAt) {
      if (proofs.has(proof)) return true
      makeRoom(proofs, { max, now: clock() })
      proofs.set(proof, expiresAt)
      return false
    },
  }
}

/** The first ones in are the first ones out, which is close to the order in which they expire. */
function makeRoom(proofs: Map<string, number>, { max, now }: { max: number; now: number }): void {
  for (const [proof, expiresAt] of proofs) {
    if (expiresAt > now && proofs.size < max) return
    proofs.delete(proof)
  }
}
