import type { ServerResponse } from 'node:http'
import type { HeaderPair } from '../http/headers.ts'

/** Sends an answer as the whole response. */
export function sendAnswer(
  response: ServerResponse,
  answer: { readonly status: number; readonly headers: readonly HeaderPair[]; readonly body: object },
): void {
  response.statusCode = answer.status
  putFields(response, answer.headers)
  response.end(JSON.stringify(answer.body))
}

/**
 * Puts fields on a response at the last moment, over what its handler has set by then: a handler's
 * `Cache-Control: public` must not make caches keep a renewed token. Cookies are added to the handler's own.
 */
export function putFieldsLast(response: ServerResponse, fields: readonly HeaderPair[]): void {
  if (fields.length === 0) return
  const writeHead = response.writeHead
  response.writeHead = (status: number, ...rest: readonly unknown[]) => {
    response.writeHead = writeHead
    const [reason] = rest
    for (const given of rest) if (typeof given === 'object' && given) setFields(response, given)
    putFields(response, fields)
    return typeof reason === 'string' ? response.writeHead(status, reason) : response.writeHead(status)
  }
}

function putFields(response: ServerResponse, fields: readonly HeaderPair[]): void {
  for (const [name, value] of fields) {
    if (name.toLowerCase() === 'set-cookie') response.appendHeader(name, value)
    else response.setHeader(name, value)
  }
}

/** The fields given to `writeHead` itself: an object, or names and values in turn, where a name may come again. */
function setFields(response: ServerResponse, given: object): void {
  const pairs = (Array.isArray(given) ? pairUp(given) : Object.entries(given)).filter(
    ([, value]) => value !== undefined,
  )
  for (const [name] of pairs) response.removeHeader(String(name))
  for (const [name, value] of pairs) response.appendHeader(String(name), textOf(value))
}

function textOf(value: unknown): string | string[] {
  return Array.isArray(value) ? value.map(String) : String(value)
}

function pairUp<Item>(items: readonly Item[]): (readonly [Item, Item | undefined])[] {
  return items.flatMap((item, index) => (index % 2 === 0 ? [[item, items[index + 1]] as const] : []))
}
