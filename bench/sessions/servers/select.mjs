// The same framework, listener and select as Mapae's GET /auth/me, and no authentication: whoever names a session in `x-session` is
// answered with its user.
import { Hono } from 'hono'
import { userOf } from '../../../packages/server/dist/account.js'
import { openStore, parseDatabaseAddress } from '../../../packages/server/dist/store/open-store.js'
import { findSessionUser } from '../../../packages/server/dist/store/session-user.js'
import { listen } from '../../../packages/cli/dist/serve/listen.js'
import { settings, serving } from './serve.mjs'

const store = openStore(parseDatabaseAddress(settings.database), 'mapae')
const app = new Hono()
app.get('/auth/me', async (c) => {
  const found = await findSessionUser(store.db, c.req.header('x-session'))
  return Response.json({ user: userOf({ ...found, id: found.accountId }, found.identifiers) })
})
const listener = await listen({ host: '127.0.0.1', port: 0 })
listener.serve(async (request) => app.fetch(request))
serving({ port: listener.port }, { stop: () => store.close() })
