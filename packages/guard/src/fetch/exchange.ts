import type { HeaderPair } from '../http/headers.ts'
import type { GuardRequest } from '../request.ts'
import type { Answer } from '../resource-metadata.ts'

/** A request of the Fetch API as a guard looks at it. */
export function fetchRequest({ method, url, headers }: Request): GuardRequest {
  return { method, url, header: (name) => headers.get(name) ?? undefined }
}

export function responseOf({ status, headers, body }: Answer): Response {
  return putFields(new Response(JSON.stringify(body), { status }), headers)
}

/** Puts fields on a response, over its own; cookies are added to its own. A response whose fields cannot change is copied. */
export function putFields(response: Response, fields: readonly HeaderPair[]): Response {
  if (fields.length === 0) return response
  const { status, statusText, body } = response
  const headers = new Headers(response.headers)
  for (const [name, value] of fields) {
    if (name.toLowerCase() === 'set-cookie') headers.append(name, value)
    else headers.set(name, value)
  }
  return new Response(body, { status, statusText, headers })
}
