// Mapae as `mapae start` runs it: the command's listener and createAuth, on a database that seed.mjs filled.
// With `memory` two statements are answered from a Map instead of the database (see ../memory-store.mjs).
import { register } from 'node:module'
import { serving, settings } from './serve.mjs'

if (settings.memory) register('../memory-store.mjs', import.meta.url)
const { listen } = await import('../../../packages/cli/dist/serve/listen.js')
const { createAuth } = await import('../../../packages/server/dist/index.js')

const listener = await listen({ host: '127.0.0.1', port: 0 })
const auth = createAuth({
  url: 'http://localhost',
  secret: settings.secret,
  database: settings.database,
  accessTokenLifetime: 86_400,
  sessionsPerAccount: 10_000,
  trustProxy: 1,
  ...settings.options,
})
await auth.ready()
listener.serve(auth.fetch)
serving(
  { port: listener.port },
  {
    sweep: () => auth.api.sweep(),
    stop: async () => {
      await listener.drain(1000)
      await auth.close()
    },
  },
)
