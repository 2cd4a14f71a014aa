import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { isSqlite, query, readTables } from './read-database.ts'
import { PASSWORD, START, someEmail, startAuth, startFreshAuth, type TestAuth } from './start-auth.ts'

const DAY = 86_400

/** Temporary tables are looked up before all others, unless a function says otherwise. */
const OWN_SETTINGS = `create temporary table settings (key text, value bigint);
  insert into pg_temp.settings values ('audit_kept_from', 9000000000000000)`

describe.each(databases)('the audit log, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database)
    await server.register()
  })

  const linesOf = async (on: TestAuth, accountId: string) => on.auth.api.readAudit({ accountId })

  describe('is append-only', () => {
    const refused = [
      "update audit set type = 'login.failed'",
      "update audit set network = null where type = 'login.succeeded'",
      'delete from audit',
      'delete from audit where seq = 1',
      ...(database.name === 'postgres'
        ? ['truncate audit', `${OWN_SETTINGS}; delete from audit`]
        : ["insert or replace into audit (seq, at, type, detail) values (1, 1, 'x', '{}')"]),
    ]
    test.each(refused)('%s is refused by the database, and changes nothing', async (statement) => {
      const { audit: before } = await readTables(server.database)
      await expect(query(server.database, statement)).rejects.toThrow('the audit log is append-only')
      expect((await readTables(server.database))['audit']).toEqual(before)
    })

    test('but for the sweep, which removes what is older than it is kept, and nothing else', async () => {
      const own = await startFreshAuth(database)
      const { json: early } = await own.register()
      own.clock.advance(400 * DAY)
      const { json: late } = await own.register()
      expect(await own.auth.api.sweep()).toMatchObject({ audit: 0 })
      own.clock.advance(1)
      expect(await own.auth.api.sweep()).toMatchObject({ audit: 3 })
      expect(await linesOf(own, early.user.id)).toEqual([])
      expect(await linesOf(own, late.user.id)).toHaveLength(2)
      await expect(query(own.database, 'delete from audit')).rejects.toThrow('append-only')
      expect(await own.auth.api.sweep()).toMatchObject({ audit: 0 })
      expect(await linesOf(own, late.user.id)).toHaveLength(2)
    })

    test('for as long as the option says', async () => {
      const own = await startFreshAuth(database, { keepAudit: DAY })
      await own.register()
      own.clock.advance(DAY)
      expect(await own.auth.api.sweep()).toMatchObject({ audit: 0 })
      own.clock.advance(1)
      expect(await own.auth.api.sweep()).toMatchObject({ audit: 3 })
      expect((await readTables(own.database))['audit']).toEqual([])
    })

    test.runIf(database.name === 'postgres')('also in a schema that was given another name', async () => {
      const first = await startFreshAuth(database)
      await first.register()
      await first.auth.close()
      await query(first.database, 'alter schema mapae rename to moved')
      const own = await startAuth(first.database, { databaseSchema: 'moved' })
      await own.auth.ready()
      await expect(query(own.database, 'delete from moved.audit')).rejects.toThrow('append-only')
      own.clock.advance(400 * DAY + 1)
      expect(await own.auth.api.sweep()).toMatchObject({ audit: 3 })
    })

    test('and has the indexes that the sweep and the time lines ask for', async () => {
      const indexes = await query(
        server.database,
        isSqlite(server.database)
          ? "select name from sqlite_master where type = 'index' and tbl_name = 'audit'"
          : "select indexname as name from pg_indexes where tablename = 'audit'",
      )
      expect(indexes.map(({ name }) => name)).toEqual(expect.arrayContaining(['audit_at', 'audit_session']))
    })
  })

  describe('says who did it', () => {
    test('in the name that server code gives, and else in its own', async () => {
      const { user } = (await server.register()).json
      await server.auth.api.disableUser(user.id)
      const hers = server.auth.api.as('admin-7')
      await hers.enableUser(user.id)
      await hers.grant({ id: user.id, roles: ['clerk'] })
      await hers.as('admin-8').withdraw({ id: user.id, roles: ['clerk'] })
      const lines = (await linesOf(server, user.id)).map(({ type, actor, by }) => [type, actor, by])
      expect(lines).toEqual([
        ['account.registered', 'self', null],
        ['login.succeeded', 'self', null],
        ['account.disabled', 'admin', 'api'],
        ['session.ended', 'admin', 'api'],
        ['account.enabled', 'admin', 'admin-7'],
        ['account.granted', 'admin', 'admin-7'],
        ['account.grants_withdrawn', 'admin', 'admin-8'],
      ])
    })

    test('of keys, accounts that were made, brought along and deleted', async () => {
      const own = await startFreshAuth(database)
      const api = own.auth.api.as('admin-7')
      await api.rotateKeys({ signsNow: true })
      const { id } = await api.createUser({ email: someEmail(), password: PASSWORD })
      await api.importUsers([{ username: 'brought' }])
      await api.deleteUser(id)
      const lines = await own.auth.api.readAudit()
      expect(lines.map(({ type }) => type)).toEqual([
        'signing_key.made',
        'account.registered',
        'account.imported',
        'account.deleted',
      ])
      for (const line of lines) expect(line).toMatchObject({ actor: 'admin', by: 'admin-7', network: null })
    })

    test.each(['', 'two words', '관리자', 'kim@example.com', 'a'.repeat(129)])(
      'and refuses the name %j',
      (name) => {
        expect(() => server.auth.api.as(name)).toThrow('Who acts must be named')
      },
    )

    test('of a disabled account whose password was right', async () => {
      const email = someEmail()
      const { user } = (await server.register({ email })).json
      await server.auth.api.disableUser(user.id)
      expect((await server.login({ email }, { address: '192.0.2.66' })).json.code).toBe('account_disabled')
      expect((await linesOf(server, user.id)).at(-1)).toMatchObject({
        type: 'login.failed',
        actor: 'someone',
        network: '192.0.2.0/24',
        detail: { reason: 'account_disabled' },
      })
    })
  })

  describe('has one line for the end of each session', () => {
    test.each([
      ['account_disabled', (on: TestAuth, id: string) => on.auth.api.disableUser(id)],
      ['account_deleted', (on: TestAuth, id: string) => on.auth.api.deleteUser(id)],
    ] as const)('by %s', async (reason, end) => {
      const email = someEmail()
      const { user, ...first } = (await server.register({ email })).json
      const second = (await server.login({ email })).json
      const heard = server.events.length
      await end(server, user.id)
      await end(server, user.id)
      const ended = (await linesOf(server, user.id)).filter(({ type }) => type === 'session.ended')
      expect(ended.map(({ session_id }) => session_id).sort()).toEqual(
        [first.session_id, second.session_id].sort(),
      )
      for (const line of ended) expect(line).toMatchObject({ actor: 'admin', by: 'api', detail: { reason } })
      expect(server.events.slice(heard).filter(({ type }) => type === 'session.ended')).toHaveLength(2)
    })

    test('by an administrator, who ends it once', async () => {
      const { json } = await server.register()
      const api = server.auth.api.as('admin-7')
      expect([await api.endSession(json.session_id), await api.endSession(json.session_id)]).toEqual([
        true,
        false,
      ])
      expect(await api.endSession('0'.repeat(26))).toBe(false)
      const me = await server.call('GET', '/auth/me', { token: json.access_token })
      expect([me.json.code, me.json.end_reason]).toEqual(['session_ended', 'ended_by_admin'])
      const { sessions = [] } = await readTables(server.database)
      expect(sessions.filter(({ id }) => id === json.session_id)).toHaveLength(1)
    })

    test('with the session that ended it', async () => {
      const email = someEmail()
      const first = (await server.register({ email })).json
      const second = (await server.login({ email })).json
      await server.call('DELETE', `/auth/sessions/${first.session_id}`, { token: second.access_token })
      expect((await linesOf(server, first.user.id)).at(-1)).toMatchObject({
        session_id: first.session_id,
        detail: { reason: 'ended_by_user', by_session: second.session_id },
      })
    })
  })

  test('is not filled by somebody who changes their name all day: 20 times are written, all are told', async () => {
    const { user, access_token: token } = (await server.register()).json
    const heard = server.events.length
    for (let times = 0; times < 25; times++)
      expect((await server.call('PATCH', '/auth/me', { token, body: { name: `Kim ${times}` } })).status).toBe(
        200,
      )
    const written = (await linesOf(server, user.id)).filter(({ type }) => type === 'account.profile_changed')
    expect([written.length, server.events.length - heard]).toEqual([20, 25])
  })

  describe('is read', () => {
    test('page by page, filtered, in its order', async () => {
      const own = await startFreshAuth(database)
      const email = someEmail()
      const { user, session_id } = (await own.register({ email })).json
      await own.register()
      own.clock.advance(60)
      await own.login({ email, password: 'a wrong horse battery' })
      const { readAudit } = own.auth.api
      const all = await readAudit()
      expect(all.map(({ type }) => type)).toEqual([
        'signing_key.made',
        'account.registered',
        'login.succeeded',
        'account.registered',
        'login.succeeded',
        'login.failed',
      ])
      expect(all[2]).toEqual({
        seq: expect.any(Number),
        at: new Date(START).toISOString(),
        type: 'login.succeeded',
        account_id: user.id,
        session_id,
        actor: 'self',
        by: null,
        network: null,
        device: null,
        place: null,
        detail: {},
      })
      const pages = []
      for (let after = 0; ; ) {
        const page = await readAudit({ after, limit: 4 })
        if (page.length === 0) break
        pages.push(page.length)
        after = page.at(-1)?.seq ?? 0
      }
      expect(pages).toEqual([4, 2])
      const types = async (page: Parameters<typeof readAudit>[0]) =>
        (await readAudit(page)).map(({ type }) => type)
      expect(await types({ since: START + 1 })).toEqual(['login.failed'])
      expect(await types({ types: ['login.failed', 'signing_key.made'] })).toEqual([
        'signing_key.made',
        'login.failed',
      ])
      expect(await types({ accountId: user.id, types: ['login.failed', 'login.succeeded'] })).toEqual([
        'login.succeeded',
        'login.failed',
      ])
      expect(await types({ accountId: 'nobody' })).toEqual([])
      expect(await types({ types: [] })).toEqual([])
      expect(await types({ limit: -1 })).toEqual(['signing_key.made'])
    })

    test('beside a session, exactly', async () => {
      const { json } = await server.register({}, { address: '203.0.113.9' })
      server.clock.advance(7)
      const second = await server.refresh(json, { address: '203.0.113.9' })
      await server.refresh(json, { address: '198.51.100.7' })
      const found = await server.auth.api.findSession(json.session_id)
      expect(found?.session).toMatchObject({
        id: json.session_id,
        account_id: json.user.id,
        generation: 2,
        transport: 'header',
        bound: false,
        remembered: true,
        network: '198.51.100.0/24',
        renewed_at: second.json.server_time,
        created_at: second.json.server_time - 7,
        ended_at: null,
        end_reason: null,
      })
      expect(found?.audit.map(({ type, detail }) => [type, detail])).toEqual([
        ['login.succeeded', {}],
        ['session.fetched_without_attempt', { generation: 2, run: 1 }],
        ['session.moved', {}],
      ])
      expect(await server.auth.api.findSession('nothing')).toBeUndefined()
    })
  })

  test('of a database from before it was kept so is read all the same', async () => {
    const own = await startFreshAuth(database)
    await own.auth.ready()
    await query(
      own.database,
      "insert into audit (at, type, account_id, detail) values (5, 'login.failed', null, '{}')",
    )
    const other = await startAuth(own.database)
    expect(await other.auth.api.readAudit()).toMatchObject([
      { type: 'login.failed', actor: null, by: null, device: null },
    ])
  })
})
