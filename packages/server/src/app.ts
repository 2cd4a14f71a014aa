import type { AccessTokens } from './access-token.ts'
import type { Context } from './context.ts'
import type { GuardNotes } from './guards-seen.ts'
import type { Postman } from './postman.ts'
import type { RevocationFeed } from './revocation-feed.ts'

/** What an endpoint works with: the context and the nouns that keep something in memory. */
export interface App {
  readonly ctx: Context
  readonly accessTokens: AccessTokens
  readonly postman: Postman
  readonly feed: RevocationFeed
  readonly guardNotes: GuardNotes
}
