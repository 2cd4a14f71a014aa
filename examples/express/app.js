import { createGuard } from '@mapae/guard'
import { protect, requireScope } from '@mapae/guard/express'
import express from 'express'

const guard = createGuard({ issuer: process.env.MAPAE_URL ?? 'http://localhost:4000' })
const app = express()

app.get('/orders', protect(guard), (request, response) => {
  response.json({ greeting: `Hello, ${request.auth.sub}`, orders: [] })
})

app.post('/orders', protect(guard), requireScope('orders:write'), (_request, response) => {
  response.status(201).json({ order: 1 })
})

const server = app.listen(Number(process.env.PORT ?? 3000), 'localhost', () => {
  console.log(
    `Orders are served on http://localhost:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/orders`,
  )
})
