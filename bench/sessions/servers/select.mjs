// The same framework, listener and select as Mapae's GET /auth/me, and no authentication: whoever names a session in `x-session` is
// answered with its user.
import { Hono } from 'hono'
import { listen } from '../../../packages/cli/dist/serve/listen.js'
import { userOf } from '../../../packages/server/dist/account.js'
import { openStore, parseDatabaseAddress } from '../../../packages/server/dist/store/open-store.js'
import { findSessionUser } from '../../../packages/server/dist/store/session-user.js'
import { serving, settings } from './serve.mjs'

const store = openStore(parseDatabaseAddress(settings.database), 'mapae')
const app = new Hono()
app.get('/auth/me', async (c) => {
  const { session, identifiers } = await findSessionUser(store.db, c.req.header('x-session'))
  return Response.json({ user: userOf(session, identifiers) })
})
const listener = await listen({ host: '127.0.0.1', port: 0 })
listener.serve(async (request) => app.fetch(request))
serving({ port: listener.port }, { stop: () => store.close() })
