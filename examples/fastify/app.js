import { createGuard } from '@mapae/guard'
import { protect, requireScope } from '@mapae/guard/fastify'
import fastify from 'fastify'

const guard = createGuard({ issuer: process.env.MAPAE_URL ?? 'http://localhost:4000' })
const app = fastify()

app.addHook('onRequest', protect(guard))

app.get('/orders', async (request) => {
  return { greeting: `Hello, ${request.auth.sub}`, orders: [] }
})

app.post('/orders', { onRequest: requireScope('orders:write') }, async (_request, reply) => {
  return reply.code(201).send({ order: 1 })
})

await app.listen({ port: Number(process.env.PORT ?? 3001), host: 'localhost' })
console.log(
  `Orders are served on http://localhost:${/** @type {import('node:net').AddressInfo} */ (app.server.address()).port}/orders`,
)
