/** What a guard looks at of a request. The framework adapters make it; for another framework, make it yourself. */
export interface GuardRequest {
  readonly method: string
  /** The request target: a path, or the whole URL. Never searched for a token. */
  readonly url: string
  /** Reads a field by its lower-case name, as `HeaderReader` of `@mapae/guard/http` describes. */
  header(name: string): string | undefined
}
