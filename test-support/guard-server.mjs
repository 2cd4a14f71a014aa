// An API in a process of its own: `node guard-server.mjs '{"issuer": …, "server": …}'` prints its port; GET / is protected, and
// /strict refuses while revocations are stale; /status tells what its guard knows. For tests and benchmarks.
import { createServer } from 'node:http'
import { createGuard } from '@mapae/guard'
import { protect } from '@mapae/guard/express'
import { createRemoteJwkSet } from '@mapae/jwt'

const { issuer, server } = JSON.parse(process.argv[2] ?? '{}')
const guard = createGuard({
  issuer,
  keys: createRemoteJwkSet(`${server}/.well-known/jwks.json`, { cooldown: 1 }),
  revocations: { url: `${server}/revocations` },
})
const [lax, strict] = [protect(guard), protect(guard, { whenStale: 'refuse' })]

const api = createServer((request, response) => {
  if (request.url === '/status') {
    response.end(JSON.stringify({ ...guard.status().revocations, rss: process.memoryUsage.rss() }))
    return
  }
  const handler = request.url === '/strict' ? strict : lax
  handler(request, response, () => response.end('{}'))
})
api.listen(0, '127.0.0.1', () => {
  const address = api.address()
  process.stdout.write(`${typeof address === 'object' ? address?.port : address}\n`)
})
process.stdin.resume().on('end', () => process.exit(0))
