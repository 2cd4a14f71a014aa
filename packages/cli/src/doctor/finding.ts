/** One thing that was looked at. */
export interface Finding {
  /** Stable, for scripts. */
  readonly check:
    | 'reachable'
    | 'ready'
    | 'address'
    | 'keys'
    | 'clock'
    | 'cookies'
    | 'page_scheme'
    | 'page_allowed'
    | 'delivery'
  readonly verdict: 'good' | 'warning' | 'bad'
  /** A sentence for a person: what is so. */
  readonly says: string
  /** What to do about it. */
  readonly advice?: string
}
