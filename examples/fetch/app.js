import { serve } from '@hono/node-server'
import { createGuard } from '@mapae/guard'
import { protect, requireScope } from '@mapae/guard/fetch'

const guard = createGuard({ issuer: process.env.MAPAE_URL ?? 'http://localhost:4000' })
const mayWrite = requireScope('orders:write')

// What Bun, Deno and Workers call by itself; on Node.js something has to serve it.
const app = {
  fetch: protect(guard, (request, auth) => {
    if (request.method === 'POST') return mayWrite(auth) ?? Response.json({ order: 1 }, { status: 201 })
    return Response.json({ greeting: `Hello, ${auth.sub}`, orders: [] })
  }),
}

serve({ ...app, port: Number(process.env.PORT ?? 3004), hostname: 'localhost' }, (address) => {
  console.log(`Orders are served on http://localhost:${address.port}/orders`)
})
