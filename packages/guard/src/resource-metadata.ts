import { proofAlgorithms } from './dpop/algorithms.ts'
import { GuardError } from './guard-error.ts'
import type { HeaderPair } from './http/headers.ts'
import { isLoopback } from './loopback.ts'
import type { GuardRequest } from './request.ts'
import { type Scope, scopeNames } from './scope.ts'

/** What an API tells clients of itself beside what the guard knows (RFC 9728 §2). */
export type MetadataOptions = {
  /** For people. @default none */
  readonly name?: string | undefined
  /** The URL of a page for developers. @default none */
  readonly documentation?: string | undefined
  /** The scope names that the API knows. @default none are listed */
  readonly scopes?: Scope | undefined
}

/** The metadata of a protected resource (RFC 9728), and where they are. */
export type ResourceMetadata = {
  /** The well-known path: `/.well-known/oauth-protected-resource`, and the path of the API behind it (§3.1). */
  readonly path: string
  readonly url: string
  readonly document: Readonly<Record<string, unknown>>
}

/** Nothing, where the API has none. Throws GuardError `options_invalid`. */
export function settleMetadata(
  options: {
    readonly issuer: string
    readonly url?: string | undefined
    readonly metadata?: MetadataOptions | undefined
  },
  settled: { readonly readsHeader: boolean; readonly dpop: { readonly isRequired: boolean } | undefined },
): ResourceMetadata | undefined {
  const { url, issuer, metadata } = options
  if (metadata === undefined) return undefined
  if (url === undefined) throw invalid('metadata need url: they are about the API at that URL.')
  const { origin, pathname } = resourceUrl(url)
  const path = `/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}`
  const document = {
    resource: url,
    authorization_servers: [issuer],
    bearer_methods_supported: settled.readsHeader ? ['header'] : [],
    ...(metadata.scopes !== undefined && { scopes_supported: scopeNames(metadata.scopes) }),
    ...(settled.dpop && { dpop_signing_alg_values_supported: proofAlgorithms }),
    ...(settled.dpop?.isRequired && { dpop_bound_access_tokens_required: true }),
    ...(metadata.name !== undefined && { resource_name: metadata.name }),
    ...(metadata.documentation !== undefined && { resource_documentation: metadata.documentation }),
  }
  return Object.freeze({ path, url: origin + path, document })
}

/** RFC 9728 §1.2: https, without a fragment. A query would have to be repeated behind the well-known path. */
function resourceUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isSecure =
    parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && isLoopback(parsed.hostname))
  if (parsed && isSecure && !parsed.search && !parsed.hash && !url.includes('#')) return parsed
  throw invalid('With metadata, url must be an https URL (http on this machine) without query and fragment.')
}

/** An answer that any framework can send: `body` goes out as JSON. */
export type Answer = {
  readonly status: number
  readonly headers: readonly HeaderPair[]
  readonly body: object
}

/** The answer to a GET of the metadata, for anybody to read; nothing for any other request. */
export function answerMetadata(
  metadata: ResourceMetadata | undefined,
  request: Pick<GuardRequest, 'method' | 'url'>,
): Answer | undefined {
  if (!metadata || (request.method !== 'GET' && request.method !== 'HEAD')) return undefined
  if (pathOf(request.url) !== metadata.path) return undefined
  return { status: 200, headers: documentFields, body: metadata.document }
}

const documentFields: readonly HeaderPair[] = [
  ['content-type', 'application/json'],
  ['cache-control', 'public, max-age=3600'],
  ['access-control-allow-origin', '*'],
]

function pathOf(url: string): string | undefined {
  if (url.startsWith('/')) return url.split('?', 1)[0]
  return URL.canParse(url) ? new URL(url).pathname : undefined
}

function invalid(description: string): GuardError {
  return new GuardError('options_invalid', description)
}
