import type { IncomingMessage } from 'node:http'
import type { GuardRequest } from '../request.ts'

/** A request of `node:http` as a guard looks at it. */
export function nodeRequest(request: IncomingMessage, url: string | undefined): GuardRequest {
  return { method: request.method ?? '', url: url ?? '', header: (name) => readField(request, name) }
}

/** Node keeps the first `Authorization` field and drops the others silently; a guard has to know of them. */
function readField({ headers, rawHeaders }: IncomingMessage, name: string): string | undefined {
  if (name === 'authorization' && isRepeated(name, rawHeaders)) return joined(name, rawHeaders)
  const value = headers[name]
  return typeof value === 'object' ? value.join(', ') : value
}

function isRepeated(name: string, rawHeaders: readonly string[]): boolean {
  let times = 0
  for (let at = 0; at < rawHeaders.length; at += 2) if (isNamed(rawHeaders[at], name)) times++
  return times > 1
}

function joined(name: string, rawHeaders: readonly string[]): string {
  return rawHeaders.filter((_, at) => at % 2 === 1 && isNamed(rawHeaders[at - 1], name)).join(', ')
}

function isNamed(field: string | undefined, name: string): boolean {
  return field?.length === name.length && field.toLowerCase() === name
}
