import { createGuard } from '@mapae/guard'
import { protect, requireScope } from '@mapae/guard/koa'
import Koa from 'koa'

const guard = createGuard({ issuer: process.env.MAPAE_URL ?? 'http://localhost:4000' })
const app = new Koa()
const mayWrite = requireScope('orders:write')

app.use(protect(guard))
app.use((ctx, next) => (ctx.method === 'POST' ? mayWrite(ctx, next) : next()))
app.use((ctx) => {
  ctx.status = ctx.method === 'POST' ? 201 : 200
  ctx.body = ctx.method === 'POST' ? { order: 1 } : { greeting: `Hello, ${ctx.state.auth.sub}`, orders: [] }
})

const server = app.listen(Number(process.env.PORT ?? 3005), 'localhost', () => {
  console.log(
    `Orders are served on http://localhost:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/orders`,
  )
})
