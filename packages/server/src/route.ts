import type { z } from 'zod'
import type { App } from './app.ts'
import type { RefusalCode } from './auth-error.ts'
import type { Visit } from './http/visit.ts'

/** One address: what it takes, what it answers, what it may refuse. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly summary: string
  readonly body?: z.ZodType
  /** The fields of a plain form, where one is posted from a page. */
  readonly form?: z.ZodType
  /** The name of the answer in `openapi.ts`, and its status. */
  readonly answer: {
    readonly status: number
    readonly schema?:
      | 'TokensWithUser'
      | 'Tokens'
      | 'User'
      | 'Sessions'
      | 'SessionHistory'
      | 'AccessToken'
      | 'Device'
      | 'Object'
  }
  /** Another success, and when it is the answer. */
  readonly otherwise?: { readonly status: number; readonly when: string }
  readonly refusals: readonly RefusalCode[]
  /** Whether an access token is needed, or taken. */
  readonly secured?: true | 'optionally'
  /** Draws pages: what is refused is a page too, where one is asked for. */
  readonly page?: true
  /** Answers without waiting for the database to be open. */
  readonly aloof?: true
  readonly endpoint: (app: App, visit: Visit) => Promise<Response>
}
