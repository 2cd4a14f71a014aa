import { serve } from '@hono/node-server'
import { createGuard } from '@mapae/guard'
import { protect, requireScope } from '@mapae/guard/hono'
import { Hono } from 'hono'

const guard = createGuard({ issuer: process.env.MAPAE_URL ?? 'http://localhost:4000' })
const app = new Hono()

app.get('/orders', protect(guard), (c) => {
  return c.json({ greeting: `Hello, ${c.var.auth.sub}`, orders: [] })
})

app.post('/orders', protect(guard), requireScope('orders:write'), (c) => {
  return c.json({ order: 1 }, 201)
})

const port = Number(process.env.PORT ?? 3002)
serve({ fetch: app.fetch, port, hostname: 'localhost' }, (address) => {
  console.log(`Orders are served on http://localhost:${address.port}/orders`)
})
