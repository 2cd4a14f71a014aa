import type { IncomingMessage } from 'node:http'
import type { GuardRequest } from '../request.ts'

/** A request of `node:http` as a guard looks at it. */
export function nodeRequest(request: IncomingMessage, url: string | undefined): GuardRequest {
  return { method: request.method ?? '', url: url ?? '', header: (name) => readField(request, name) }
}

/** Node keeps the first `Authorization` field and drops the others silently; a guard has to know of them. */
function readField({ headers, rawHeaders }: IncomingMessage, name: string): string | undefined {
  if (name === 'authorization') {
    const sent = rawHeaders.filter((_, index) => index % 2 === 1 && isNamed(rawHeaders[index - 1], name))
    if (sent.length > 1) return sent.join(', ')
  }
  const value = headers[name]
  return typeof value === 'object' ? value.join(', ') : value
}

function isNamed(field: string | undefined, name: string): boolean {
  return field?.length === name.length && field.toLowerCase() === name
}
