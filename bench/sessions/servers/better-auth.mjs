// better-auth as its documentation sets it up: e-mail and password, the jwt plugin, a database file beside it (SQLite in WAL mode),
// no rate limit and no telemetry. `get-session` does not sign a token by the way; `token` does.
import { createServer } from 'node:http'
import { NodeSqliteDialect } from '@better-auth/kysely-adapter/node-sqlite-dialect'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'
import { loadSqlite } from '../../../packages/server/dist/store/sqlite-library.js'
import { serving, settings } from './serve.mjs'

const { DatabaseSync } = await loadSqlite()
const database = new DatabaseSync(settings.path)
database.exec('pragma journal_mode = wal')
const options = {
  baseURL: 'http://localhost',
  secret: settings.secret,
  database: { dialect: new NodeSqliteDialect({ database }), type: 'sqlite' },
  emailAndPassword: { enabled: true },
  plugins: [jwt({ jwks: { keyPairConfig: { alg: 'ES256' } }, disableSettingJwtHeader: true })],
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
}
await (await getMigrations(options)).runMigrations()
const auth = betterAuth(options)
const people = []
for (let n = 0; n < settings.people; n++) {
  const email = `person-${n}@example.com`
  const body = { name: 'A Person', email, password: settings.password }
  const response = await auth.api.signUpEmail({ body, asResponse: true })
  const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0])
  people.push({ email, cookie: cookies.join('; ') })
}
const server = createServer(toNodeHandler(auth)).listen(0, '127.0.0.1', () =>
  serving({ port: server.address().port, people }),
)
