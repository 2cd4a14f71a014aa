import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { query, readTables } from './read-database.ts'
import {
  type Answer,
  type AnswerBody,
  someEmail,
  startAuth,
  startFreshAuth,
  type TestAuth,
  URL_OF_AUTH,
} from './start-auth.ts'

const MANY = { account: { atOnce: 100, every: 900 } }

describe.each(databases)('the sessions of an account, on $name', (database) => {
  const LIMIT = 3
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database, { sessionsPerAccount: LIMIT, brakes: MANY })
  })
  const reasonFor = async ({ access_token: token }: AnswerBody) =>
    (await server.call('GET', '/auth/me', { token })).json.end_reason
  /** Somebody with as many sessions as they may have, a minute apart, the oldest first. */
  const somebody = async () => {
    const email = someEmail()
    const sessions = [(await server.register({ email })).json]
    while (sessions.length < LIMIT) {
      server.clock.advance(60)
      sessions.push((await server.login({ email })).json)
    }
    server.clock.advance(60)
    const [first, second, third] = sessions
    if (!first || !second || !third) throw new Error('three sessions')
    return { email, first, second, third }
  }

  test('one more than may be ends the one not used for longest, and says so', async () => {
    const { email, first, second, third } = await somebody()
    const renewed = await server.refresh(first)
    server.events.splice(0)
    const fourth = await server.login({ email })
    expect(fourth.status).toBe(200)

    expect(await reasonFor(second)).toBe('session_limit')
    const late = await server.refresh(second)
    expect([late.status, late.json.code, late.json.end_reason]).toEqual([
      401,
      'session_ended',
      'session_limit',
    ])
    for (const alive of [renewed.json, third, fourth.json]) expect(await reasonFor(alive)).toBeUndefined()
    const ended = server.events.filter(({ type }) => type === 'session.ended')
    expect(ended).toEqual([
      {
        type: 'session.ended',
        at: server.clock.now(),
        accountId: first.user.id,
        sessionId: second.session_id,
        detail: { reason: 'session_limit', by_session: fourth.json.session_id },
      },
    ])
    const { audit = [] } = await readTables(server.database)
    expect(audit.slice(-2).map(({ type, session_id }) => [type, session_id])).toEqual([
      ['login.succeeded', fourth.json.session_id],
      ['session.ended', second.session_id],
    ])
  })

  test('the one that ends is revoked for verifiers, with the login that ended it', async () => {
    const own = await startFreshAuth(database, { sessionsPerAccount: 1 })
    const email = someEmail()
    await own.register({ email })
    expect((await readTables(own.database))['revocations']).toEqual([])
    await own.login({ email })
    await own.login({ email })
    expect((await readTables(own.database))['revocations']).toHaveLength(2)
  })

  test('renewed inside API requests alone counts as used', async () => {
    const email = someEmail()
    const headers = { origin: URL_OF_AUTH }
    const sessions: Answer[] = [await server.register({ email, transport: 'cookie' })]
    while (sessions.length < LIMIT) {
      server.clock.advance(60)
      sessions.push(await server.login({ email, transport: 'cookie' }))
    }
    server.clock.advance(3 * 86_400)
    const [first, second] = sessions
    const token = await server.call('POST', '/auth/token', { cookies: first?.cookies ?? {}, headers })
    expect(token.status).toBe(200)
    await server.login({ email })
    const answers = [first, second].map((session) =>
      server.call('POST', '/auth/refresh', { cookies: session?.cookies ?? {}, headers }),
    )
    const [kept, ended] = await Promise.all(answers)
    expect([kept?.status, ended?.json.end_reason]).toEqual([200, 'session_limit'])
  })

  test('that ended or ran out do not count', async () => {
    const { email, first, second, third } = await somebody()
    await server.call('POST', '/auth/logout', { token: second.access_token })
    await server.login({ email })
    expect(await reasonFor(first)).toBeUndefined()
    expect(await reasonFor(third)).toBeUndefined()

    server.clock.advance(31 * 86_400)
    await server.login({ email })
    const { sessions = [] } = await readTables(server.database)
    const mine = sessions.filter(({ account_id }) => account_id === first.user.id)
    expect(mine.filter(({ end_reason }) => end_reason === 'session_limit')).toEqual([])
  })

  test('of somebody else are not touched', async () => {
    const other = await somebody()
    const { email } = await somebody()
    await server.login({ email })
    for (const session of [other.first, other.second, other.third])
      expect(await reasonFor(session)).toBeUndefined()
  })

  test('opened by 30 logins at once, in two processes, are never more than may be', async () => {
    const { email, first } = await somebody()
    const other = await startAuth(server.database, {
      sessionsPerAccount: LIMIT,
      clock: server.clock.now,
      brakes: MANY,
    })
    const logins = await Promise.all(
      Array.from({ length: 30 }, (_, n) => (n % 2 ? server : other).login({ email })),
    )
    expect(logins.map(({ status }) => status)).toEqual(Array(30).fill(200))
    expect(await server.auth.api.listSessions(first.user.id)).toHaveLength(LIMIT)
    const reasons = await Promise.all(logins.map(({ json }) => reasonFor(json)))
    expect(reasons.filter((reason) => reason === undefined)).toHaveLength(LIMIT)
    expect(new Set(reasons)).toEqual(new Set(['session_limit', undefined]))
  })

  test('are a hundred unless the option says otherwise', async () => {
    const own = await startFreshAuth(database)
    const { json } = await own.register()
    const { sessions: [session = {}] = [] } = await readTables(own.database)
    for (let copy = 0; copy < 105; copy++) await insertCopy(own, session, copy)
    expect(await own.auth.api.listSessions(json.user.id)).toHaveLength(106)
    await own.login({ email: json.user.email })
    expect(await own.auth.api.listSessions(json.user.id)).toHaveLength(100)
  })
})

/** Another session just like it, by a connection of its own. */
async function insertCopy(server: TestAuth, row: Readonly<Record<string, unknown>>, copy: number) {
  const values = { ...row, id: `${String(row['id']).slice(0, 22)}${String(copy).padStart(4, '0')}` }
  const literals = Object.values(values).map((value) =>
    value === null ? 'null' : `'${String(value).replaceAll("'", "''")}'`,
  )
  const columns = Object.keys(values).join(', ')
  await query(server.database, `insert into sessions (${columns}) values (${literals.join(', ')})`)
}
