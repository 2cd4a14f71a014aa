import { randomBytes } from 'node:crypto'
import { hash } from '@node-rs/argon2'
import pg from 'pg'
import { newId } from '../../packages/server/dist/new-id.js'
import { hashSecret, makeRefreshToken } from '../../packages/server/dist/refresh-token.js'
import { deriveSecrets } from '../../packages/server/dist/server-secret.js'
import { createSigningKeys } from '../../packages/server/dist/signing-keys.js'
import { migrate } from '../../packages/server/dist/store/migrate.js'
import { openStore, parseDatabaseAddress } from '../../packages/server/dist/store/open-store.js'
import { loadSqlite } from '../../packages/server/dist/store/sqlite-library.js'
import { USER_AGENT } from './http-client.mjs'

export const SECRET = 'a server secret for measuring, 32 characters or more'
export const PASSWORD = 'correct horse battery'
/** Sessions that are used, spread evenly over all that are stored. */
const USED = 40_000
const SESSIONS_OF_AN_ACCOUNT = 4
const DAY = 86_400_000
const BATCH = 20_000

/**
 * Fills an empty database with sessions and their accounts, in bulk, as logins of the last 25 days would have left them: every
 * row is whole and every refresh token of them would be taken.
 *
 * @returns for up to 40,000 of them both tokens, and the e-mail addresses of their accounts, whose password is PASSWORD
 */
export async function seed({ database, sessions }) {
  const address = parseDatabaseAddress(database)
  const store = openStore(address, 'mapae')
  await migrate(store)
  const [secret] = deriveSecrets([SECRET])
  const passwordHash = await hash(PASSWORD, { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 })
  const insert =
    address.kind === 'sqlite' ? await sqliteInserts(address.path) : await postgresInserts(address.url)
  const now = Date.now()
  const every = Math.max(1, Math.floor(sessions / USED))
  const used = []
  const accountsOfAll = Math.ceil(sessions / SESSIONS_OF_AN_ACCOUNT)

  const account = (n) => ({
    id: newId(now - 25 * DAY),
    email: `person-${n}@example.com`,
    createdAt: now - 25 * DAY,
  })
  for (let from = 0; from < accountsOfAll; from += BATCH / SESSIONS_OF_AN_ACCOUNT) {
    const length = Math.min(BATCH / SESSIONS_OF_AN_ACCOUNT, accountsOfAll - from)
    const accounts = Array.from({ length }, (_, n) => account(from + n))
    await insert(
      'accounts',
      accounts.map((one) => accountRow(one, passwordHash)),
    )
    await insert('identifiers', accounts.map(identifierRow))
    const first = from * SESSIONS_OF_AN_ACCOUNT
    const rows = Array.from(
      { length: Math.min(length * SESSIONS_OF_AN_ACCOUNT, sessions - first) },
      (_, n) => {
        const owner = accounts[Math.floor(n / SESSIONS_OF_AN_ACCOUNT)]
        const createdAt = now - 25 * DAY + Math.floor(((first + n) / sessions) * 25 * DAY)
        const row = sessionRow({ secret, accountId: owner.id, createdAt, now })
        if ((first + n) % every === 0 && used.length < USED)
          used.push({ sid: row.id, accountId: owner.id, email: owner.email, refreshToken: row.token })
        return row
      },
    )
    await insert('sessions', rows)
  }
  await insert.done()

  const sign = signer(store, secret)
  for (const one of used) one.accessToken = await sign(one, now)
  await store.close()
  return used
}

function accountRow({ id, createdAt }, passwordHash) {
  return {
    id,
    name: 'A Person',
    password_hash: passwordHash,
    epoch: 0,
    roles: '["member"]',
    scopes: '["read","write"]',
    created_at: createdAt,
    updated_at: createdAt,
  }
}

function identifierRow({ id, email, createdAt }) {
  return {
    kind: 'email',
    value: email,
    account_id: id,
    display: email,
    verified_at: createdAt,
    created_at: createdAt,
  }
}

function sessionRow({ secret, accountId, createdAt, now }) {
  const id = newId(createdAt)
  const salt = randomBytes(16).toString('base64url')
  const token = makeRefreshToken(secret, { sid: id, generation: 1, salt })
  const row = {
    id,
    account_id: accountId,
    salt,
    generation: 1,
    refresh_hash: hashSecret(token),
    rotated_at: createdAt,
    transport: 'header',
    auth_time: createdAt,
    amr: '["pwd"]',
    // Where the loader comes from: a session that moves would be written down, and moves seldom.
    user_agent: USER_AGENT,
    network: '127.0.0.0/24',
    remembered: 1,
    created_at: createdAt,
    expires_at: createdAt + 180 * DAY,
    idle_expires_at: now + 30 * DAY,
    sweep_at: now + 30 * DAY,
  }
  return Object.defineProperty(row, 'token', { value: token })
}

function signer(store, secret) {
  const keys = createSigningKeys({
    store,
    secrets: [secret],
    clock: Date.now,
    algorithm: 'ES256',
    longestAccessLifetime: () => DAY,
    emit: () => {},
  })
  return ({ sid, accountId }, now) =>
    keys.sign({
      iss: 'http://localhost',
      sub: accountId,
      aud: 'http://localhost',
      client_id: 'first-party',
      sid,
      epoch: 0,
      jti: randomBytes(16).toString('base64url'),
      iat: Math.floor(now / 1000),
      exp: Math.floor((now + DAY) / 1000),
      auth_time: Math.floor(now / 1000),
      amr: ['pwd'],
      scope: 'read write',
      roles: ['member'],
    })
}

async function sqliteInserts(path) {
  const { DatabaseSync } = await loadSqlite()
  const database = new DatabaseSync(path)
  database.exec('pragma synchronous = off; pragma cache_size = -500000; pragma wal_autocheckpoint = 0')
  const insert = async (table, rows) => {
    const columns = Object.keys(rows[0])
    const values = columns.map(() => '?').join(', ')
    const statement = database.prepare(`insert into ${table} (${columns.join(', ')}) values (${values})`)
    database.exec('begin')
    for (const row of rows) statement.run(...Object.values(row))
    database.exec('commit; pragma wal_checkpoint(truncate)')
  }
  insert.done = async () => {
    database.close()
  }
  return insert
}

async function postgresInserts(url) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('set search_path = mapae; set synchronous_commit = off')
  const insert = async (table, rows) => {
    const columns = Object.keys(rows[0])
    const lists = columns.map(
      (column, at) => `$${at + 1}::${typeof rows[0][column] === 'number' ? 'bigint' : 'text'}[]`,
    )
    const text = `insert into ${table} (${columns.join(', ')}) select * from unnest(${lists.join(', ')})`
    await client.query(
      text,
      columns.map((column) => rows.map((row) => row[column])),
    )
  }
  insert.done = async () => {
    await client.query('vacuum analyze')
    await client.query('checkpoint')
    await client.end()
  }
  return insert
}
