import { createServer } from 'node:http'
import { createGuard } from '@mapae/guard'
import { protect, requireScope } from '@mapae/guard/node'

const guard = createGuard({ issuer: process.env.MAPAE_URL ?? 'http://localhost:4000' })
const mayWrite = requireScope('orders:write')

const server = createServer(
  protect(guard, (request, response) => {
    response.setHeader('content-type', 'application/json')
    if (request.method === 'POST') {
      if (!mayWrite(request, response)) return
      response.writeHead(201).end(JSON.stringify({ order: 1 }))
    } else {
      response.end(JSON.stringify({ greeting: `Hello, ${request.auth.sub}`, orders: [] }))
    }
  }),
)

server.listen(Number(process.env.PORT ?? 3003), 'localhost', () => {
  console.log(
    `Orders are served on http://localhost:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/orders`,
  )
})
