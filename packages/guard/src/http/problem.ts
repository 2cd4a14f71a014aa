import type { HeaderPair } from './headers.ts'

/** The members of a problem document (RFC 9457 §3.1), with our stable `code`. */
export type ProblemDetails = {
  readonly type: `urn:mapae:error:${string}`
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail?: string
}

/** A refusal that any framework can send: `body` goes out as JSON. */
export type Problem<Status extends number = number> = {
  readonly status: Status
  readonly headers: readonly HeaderPair[]
  readonly body: ProblemDetails
}

/**
 * Makes an `application/problem+json` answer (RFC 9457), never cached. `title` is the same for each answer of one
 * `code` and defaults to its words; `detail` is about this one, and public. `headers` are added.
 */
export function problem<Status extends number>(about: {
  readonly status: Status
  /** Stable, in snake_case. */
  readonly code: string
  readonly title?: string
  readonly detail?: string
  readonly headers?: readonly HeaderPair[]
}): Problem<Status> {
  const { status, code, title = words(code), detail, headers = [] } = about
  return {
    status,
    headers: [['content-type', 'application/problem+json'], ['cache-control', 'no-store'], ...headers],
    body: { type: `urn:mapae:error:${code}`, title, status, code, ...(detail && { detail }) },
  }
}

function words(code: string): string {
  const text = code.replaceAll('_', ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
