import type { AccessClaims } from './access-claims.ts'
import type { HeaderPair } from './http/headers.ts'

/**
 * Renews the access token of a request whose own has expired, in the course of that request; `renew` of an embedded
 * `@mapae/server` is one. It judges both tokens itself and spends no refresh token.
 */
export type Renew = (request: RenewRequest) => Promise<Renewal>

export interface RenewRequest {
  readonly method: string
  header(name: string): string | undefined
}

export type Renewal =
  | {
      readonly type: 'renewed'
      readonly accessToken: string
      readonly claims: AccessClaims
      /** `Authorization`, `Set-Cookie` and `Cache-Control: private, no-store`, for the response of the API. */
      readonly headers: readonly HeaderPair[]
    }
  | {
      readonly type: 'refused'
      readonly status: 400 | 401 | 403 | 503
      readonly code: string
      /** Public. */
      readonly description: string
    }
  /** No refresh token came with the request. */
  | { readonly type: 'not-applicable' }
