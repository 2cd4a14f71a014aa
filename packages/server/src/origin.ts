/** Where a request came from, as it is kept beside a session. */
export interface Origin {
  readonly userAgent: string | null
  readonly network: string | null
  /** The whole address: for this request alone, never stored and never told. */
  readonly address: string | null
  /** Where the `locate` hook puts the address, once it was asked. */
  readonly place?: string | null
}
