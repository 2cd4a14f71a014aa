import { RequestError } from '@hono/node-server'
import { problem } from '@mapae/guard/http'

/** Answers a request that cannot be made into one: a bad `Host` or target. Anything else is ours, and goes to the log. */
export function refusedRequest(thrown: unknown): Response {
  if (!(thrown instanceof RequestError)) console.error('mapae:', thrown)
  const { status, headers, body } =
    thrown instanceof RequestError
      ? problem({ status: 400, code: 'invalid_request', title: 'The request is malformed' })
      : problem({ status: 500, code: 'internal_error', title: 'Something broke on our side' })
  return new Response(JSON.stringify(body), {
    status,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
  })
}
