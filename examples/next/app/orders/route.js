import { protect } from '@mapae/guard/next'
import { guard } from '../../lib/guard.js'

export const GET = protect(guard, (_request, auth) => {
  return Response.json({ greeting: `Hello, ${auth.sub}`, orders: [] })
})

export const POST = protect(guard, () => Response.json({ order: 1 }, { status: 201 }), {
  scope: 'orders:write',
})
