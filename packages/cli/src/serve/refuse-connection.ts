import type { Duplex } from 'node:stream'
import { type Problem, problem } from '@mapae/guard/http'

/** Answers what Node's HTTP parser gave up on, in the words that every other refusal has, and ends the connection. */
export function refuseConnection(error: Error, socket: Duplex): void {
  if (Reflect.get(error, 'code') === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  socket.end(asHttp(problemFor(Reflect.get(error, 'code'))))
}

function problemFor(code: unknown): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return problem({ status: 431, code: 'headers_too_large', title: 'The header fields are too large' })
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problem({ status: 408, code: 'request_timeout', title: 'The request did not come in time' })
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return problem({ status: 413, code: 'body_too_large', title: 'The body is too large' })
    default:
      return problem({ status: 400, code: 'invalid_request', title: 'The request is malformed' })
  }
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
}

function asHttp({ status, headers, body }: Problem): string {
  const json = JSON.stringify(body)
  const fields = [...headers, ['content-length', String(Buffer.byteLength(json))], ['connection', 'close']]
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status]}`,
    ...fields.map(([name, value]) => `${name}: ${value}`),
  ]
  return `${head.join('\r\n')}\r\n\r\n${json}`
}
