import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { sweeps } from '../src/sweeps.ts'
import { isSqlite, query, readTables } from './read-database.ts'
import { someEmail, startAuth, startFreshAuth, type TestAuth } from './start-auth.ts'

const DAY = 86_400

describe.each(databases)('the sweep, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database)
    await server.auth.ready()
  })
  const rowsOf = async (on: TestAuth, table: string) => (await readTables(on.database))[table] ?? []
  const idsOf = async (on: TestAuth) => (await rowsOf(on, 'sessions')).map(({ id }) => String(id)).sort()

  test('of an empty database finds nothing', async () => {
    const own = await startFreshAuth(database)
    const swept = Object.entries(await own.auth.api.sweep())
    expect(swept).toEqual(sweeps.map(({ name }) => [name, 0]))
  })

  test('keeps a session that ended for as long as it may have to say why, and not longer', async () => {
    const own = await startFreshAuth(database)
    const { json: ended } = await own.register()
    await own.call('POST', '/auth/logout', { token: ended.access_token })
    own.clock.advance(30 * DAY)
    const { json: alive } = await own.register()
    await own.auth.api.sweep()
    expect(await idsOf(own)).toEqual([ended.session_id, alive.session_id].sort())
    expect((await own.refresh(ended)).json.end_reason).toBe('logout')

    own.clock.advance(1)
    expect(await own.auth.api.sweep()).toMatchObject({ sessions_ended: 1 })
    expect(await idsOf(own)).toEqual([alive.session_id])
    const late = await own.refresh(ended)
    expect([late.status, late.json.code]).toEqual([401, 'invalid_grant'])
    expect((await own.refresh(alive)).status).toBe(200)
  })

  test('removes a session that nobody used, as long after it ran out', async () => {
    const own = await startFreshAuth(database)
    const { json: idle } = await own.register()
    const { json: forgotten } = await own.register({ remember: false })
    own.clock.advance(30 * DAY + DAY / 2 + 1)
    await own.auth.api.sweep()
    expect(await idsOf(own)).toEqual([idle.session_id])
    expect((await own.refresh(idle)).json.end_reason).toBe('idle_expired')
    expect((await own.refresh(forgotten)).json.code).toBe('invalid_grant')
    own.clock.advance(29.5 * DAY - 1)
    await own.auth.api.sweep()
    expect(await idsOf(own)).toEqual([idle.session_id])
    own.clock.advance(1)
    expect(await own.auth.api.sweep()).toMatchObject({ sessions_expired: 1 })
    expect(await idsOf(own)).toEqual([])
  })

  test('never touches a session that is in use, and looks at it once an idle lifetime', async () => {
    const own = await startFreshAuth(database)
    let tokens = (await own.register()).json
    const looks = []
    for (let day = 0; day < 175; day += 5) {
      own.clock.advance(5 * DAY)
      const renewed = await own.refresh(tokens)
      expect(renewed.status, `day ${day}`).toBe(200)
      tokens = renewed.json
      looks.push((await own.auth.api.sweep())['sessions_expired'])
    }
    expect(looks.filter((looked) => looked === 1).length).toBeLessThanOrEqual(4)
    expect(await own.call('GET', '/auth/me', { token: tokens.access_token })).toMatchObject({ status: 200 })

    own.clock.advance(34 * DAY)
    await own.auth.api.sweep()
    expect((await own.refresh(tokens)).json.end_reason, 'it ended on day 180').toBe('expired')
    own.clock.advance(2 * DAY)
    await own.auth.api.sweep()
    expect(await idsOf(own)).toEqual([])
  })

  test('leaves the rows of before the sweep to be looked at once', async () => {
    const own = await startFreshAuth(database)
    const { json } = await own.register()
    await query(own.database, 'update sessions set sweep_at = 0')
    expect(await own.auth.api.sweep()).toMatchObject({ sessions_expired: 1 })
    expect(await own.auth.api.sweep()).toMatchObject({ sessions_expired: 0 })
    expect((await own.refresh(json)).status).toBe(200)
  })

  test('removes revocations when no token is left that they refuse', async () => {
    const own = await startFreshAuth(database)
    for (const { json } of [await own.register(), await own.register()])
      await own.call('POST', '/auth/logout', { token: json.access_token })
    own.clock.advance(300 + 59)
    expect(await own.auth.api.sweep()).toMatchObject({ revocations: 0 })
    expect(await rowsOf(own, 'revocations')).toHaveLength(2)
    own.clock.advance(1)
    expect(await own.auth.api.sweep()).toMatchObject({ revocations: 1 })
    const left = await rowsOf(own, 'revocations')
    expect(
      left.map(({ seq }) => Number(seq)),
      'the last one shows where the feed is',
    ).toEqual([2])
  })

  test('removes what is left of a deleted account, and nothing of the others', async () => {
    const own = await startFreshAuth(database)
    const { json: gone } = await own.register()
    const { json: disabled } = await own.register()
    const { json: stays } = await own.register()
    await own.auth.api.disableUser(disabled.user.id)
    await own.auth.api.deleteUser(gone.user.id)
    own.clock.advance(30 * DAY)
    await own.auth.api.sweep()
    expect((await own.refresh(gone)).json.end_reason).toBe('account_deleted')
    own.clock.advance(1)
    expect(await own.auth.api.sweep()).toMatchObject({ accounts_deleted: 1 })
    const accounts = await rowsOf(own, 'accounts')
    expect(accounts.map(({ id }) => id).sort()).toEqual([disabled.user.id, stays.user.id].sort())
    const audit = await rowsOf(own, 'audit')
    expect(
      audit.map(({ account_id }) => account_id),
      'the audit log stays',
    ).toContain(gone.user.id)
  })

  test('never removes a signing key: a session of 179 days is renewed with its first access token', async () => {
    const own = await startFreshAuth(database, { sessionIdleLifetime: 179 * DAY })
    const { json: first } = await own.register()
    for (let month = 1; month <= 5; month++) {
      own.clock.advance(30 * DAY)
      await own.auth.api.rotateKeys({ signsNow: true })
      await own.auth.api.sweep()
    }
    expect(await rowsOf(own, 'signing_keys')).toHaveLength(6)
    own.clock.advance(28 * DAY)
    expect((await own.refresh(first)).status).toBe(200)
  })

  test('of many rows works in batches, beside another that sweeps the same, and leaves who is alive', async () => {
    const own = await startFreshAuth(database)
    const email = someEmail()
    const { json } = await own.register({ email })
    await copySessions(own, json.session_id, 2300)
    own.clock.advance(61 * DAY)
    const { json: alive } = await own.login({ email })
    const other = await startAuth(own.database, { clock: own.clock.now })
    const [one, two] = await Promise.all([own.auth.api.sweep(), other.auth.api.sweep()])
    expect(Number(one?.['sessions_expired']) + Number(two?.['sessions_expired'])).toBe(2301)
    expect(await idsOf(own)).toEqual([alive.session_id])
    expect((await own.refresh(alive)).status).toBe(200)
    expect([...own.events, ...other.events].filter(({ type }) => type === 'error')).toEqual([])
  })

  test('runs by itself while the server does, and tells of a failure as an event', async () => {
    const own = await startFreshAuth(database, { sweepInterval: 1, keepEndedSessions: 0 })
    const { json } = await own.register()
    await own.call('POST', '/auth/logout', { token: json.access_token })
    own.clock.advance(1)
    await expect.poll(() => idsOf(own), { timeout: 5000 }).toEqual([])
    await query(own.database, 'alter table revocations rename to elsewhere')
    await expect
      .poll(() => own.events.filter(({ type }) => type === 'error').length, { timeout: 5000 })
      .toBeGreaterThan(0)
    await expect(own.auth.api.sweep()).rejects.toMatchObject({ name: 'StoreError' })
    expect((await own.call('GET', '/healthz')).status, 'and goes on').toBe(200)

    await own.auth.close()
    const { length } = own.events
    await new Promise((resolve) => setTimeout(resolve, 1600))
    expect(own.events.length, 'nothing is swept after the end').toBe(length)
  })

  test('does not run where it is turned off, and closing does not wait for the next round', async () => {
    const own = await startFreshAuth(database, { sweepInterval: 0, keepEndedSessions: 0 })
    const { json } = await own.register()
    await own.call('POST', '/auth/logout', { token: json.access_token })
    own.clock.advance(1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(await idsOf(own)).toHaveLength(1)
    const started = performance.now()
    await (await startFreshAuth(database, { sweepInterval: 86_400 })).auth.close()
    await own.auth.close()
    expect(performance.now() - started, 'not a day').toBeLessThan(25_000)
    await expect(own.auth.api.sweep()).rejects.toMatchObject({ name: 'StoreError' })
  })

  test('asks the index for what it removes', async () => {
    const plans = []
    for (const statement of [
      'select id from sessions where ended_at is not null and ended_at < 5 order by ended_at limit 500',
      'select id from sessions where ended_at is null and sweep_at < 5 order by sweep_at limit 500',
      'select id from accounts where deleted_at is not null and deleted_at < 5 order by deleted_at limit 500',
      'select seq from revocations where expires_at <= 5 and seq < (select max(seq) from revocations) order by expires_at limit 500',
    ])
      plans.push(JSON.stringify(await explain(server, statement)))
    const indexes = ['sessions_ended', 'sessions_sweep', 'accounts_deleted', 'revocations_expiry']
    for (const [at, plan] of plans.entries()) expect(plan).toContain(indexes[at])
  })
})

async function explain({ database }: TestAuth, statement: string) {
  if (isSqlite(database)) return query(database, `explain query plan ${statement}`)
  // A nearly empty table is cheaper to read whole: what counts is that the index can be used.
  const url = new URL(database.url)
  url.searchParams.set('options', '-c search_path=mapae -c enable_seqscan=off')
  return query({ ...database, url: url.href }, `explain ${statement}`)
}

/** Many sessions just like one, by one statement on a connection of its own. */
async function copySessions({ database }: TestAuth, id: string, count: number): Promise<void> {
  const [row = {}] = await query(database, `select * from sessions where id = '${id}'`)
  const columns = Object.keys(row).filter((name) => name !== 'id')
  const numbers = `with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${count})`
  const copy = `select substr(id, 1, 19) || '-' || (100000 + n), ${columns.join(', ')} from sessions, numbers`
  await query(
    database,
    `${isSqlite(database) ? `${numbers} ` : ''}insert into sessions (id, ${columns.join(', ')})
     ${isSqlite(database) ? '' : numbers} ${copy} where id = '${id}'`,
  )
}
