import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { readTables } from './read-database.ts'
import { PASSWORD, someEmail, startAuth, startFreshAuth, type TestAuth, URL_OF_AUTH } from './start-auth.ts'

describe.each(databases)('an account, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database, { brakes: { reauthentication: { atOnce: 100, every: 900 } } })
  })
  const me = (token: string) => server.call('GET', '/auth/me', { token })
  const deleteMe = (token: string, password: unknown = PASSWORD) =>
    server.call('DELETE', '/auth/me', { token, body: { password } })

  describe('deleted by its owner', () => {
    test('is gone: its tokens and its password open nothing, and each session says why', async () => {
      const email = someEmail()
      const { json: first } = await server.register({ email })
      const { json: second } = await server.login({ email })
      const answer = await deleteMe(first.access_token)
      expect([answer.status, answer.text]).toEqual([204, ''])
      expect(answer.headers.get('cache-control')).toBe('no-store')

      for (const tokens of [first, second]) {
        for (const refused of [await me(tokens.access_token), await server.refresh(tokens)])
          expect([refused.status, refused.json.code, refused.json.end_reason]).toEqual([
            401,
            'session_ended',
            'account_deleted',
          ])
      }
      const login = await server.login({ email })
      expect([login.status, login.json.code]).toEqual([401, 'invalid_credentials'])
      expect(await server.auth.api.findUser(first.user.id)).toBeUndefined()
      expect(await server.auth.api.findUser(email)).toBeUndefined()
      expect((await server.auth.api.listUsers({ limit: 1000 })).map(({ id }) => id)).not.toContain(
        first.user.id,
      )
    })

    test('takes its cookies back', async () => {
      const { cookies } = await server.register({ transport: 'cookie' })
      const answer = await server.call('DELETE', '/auth/me', {
        cookies,
        headers: { origin: URL_OF_AUTH },
        body: { password: PASSWORD },
      })
      expect(answer.status).toBe(204)
      expect(answer.setCookies).toHaveLength(2)
      for (const cookie of answer.setCookies) expect(cookie).toContain('Max-Age=0')
    })

    test('leaves nothing of the person, and ids, times and reasons', async () => {
      const own = await startFreshAuth(database)
      const secrets = {
        email: 'very.private@example.com',
        username: 'very-private',
        name: 'Very Private',
        agent: 'a private browser',
      }
      const { email, username, name, agent } = secrets
      const options = { headers: { 'user-agent': agent }, address: '203.0.113.7' }
      const { json } = await own.register({ email, username, name }, options)
      const token = json.access_token
      await own.call('PATCH', '/auth/me', { token, body: { nickname: 'Privatus', locale: 'ko' } })
      await own.auth.api.grant({ id: json.user.id, roles: ['keeper-of-secrets'] })
      const deleted = await own.call('DELETE', '/auth/me', { token, body: { password: PASSWORD } })
      expect(deleted.status).toBe(204)

      const { accounts, identifiers, sessions, audit = [] } = await readTables(own.database)
      expect(accounts).toHaveLength(1)
      const at = String(own.clock.now())
      const texts = Object.entries(accounts?.[0] ?? {}).map(([name, value]) => [name, String(value)])
      expect(Object.fromEntries(texts)).toEqual({
        id: json.user.id,
        epoch: '1',
        roles: '[]',
        scopes: '[]',
        name: 'null',
        password_hash: 'null',
        profile: 'null',
        disabled_at: 'null',
        last_login_at: 'null',
        created_at: at,
        updated_at: at,
        deleted_at: at,
      })
      expect(identifiers).toEqual([])
      expect(sessions).toEqual([
        expect.objectContaining({ end_reason: 'account_deleted', user_agent: null, network: null }),
      ])
      expect(audit.find(({ type }) => type === 'account.deleted')).toMatchObject({ account_id: json.user.id })
      const rows = JSON.stringify(await readTables(own.database))
      for (const text of [...Object.values(secrets), 'Privatus']) expect(rows).not.toContain(text)
    })

    test('gives its identifiers to whoever wants them, who is somebody else', async () => {
      const email = someEmail()
      const { json } = await server.register({ email })
      await deleteMe(json.access_token)
      const again = await server.register({ email })
      expect(again.status).toBe(201)
      expect(again.json.user.id).not.toBe(json.user.id)
      expect((await me(json.access_token)).json.end_reason).toBe('account_deleted')
      expect((await me(again.json.access_token)).json.user.email).toBe(email)
    })

    test('needs the password: a wrong one is 403, is written down, and changes nothing', async () => {
      const own = await startFreshAuth(database)
      const { json } = await own.register()
      own.events.splice(0)
      const refused = await own.call('DELETE', '/auth/me', {
        token: json.access_token,
        body: { password: 'not the password' },
      })
      expect([refused.status, refused.json.code]).toEqual([403, 'wrong_password'])
      expect(refused.headers.get('www-authenticate')).toBeNull()
      expect(refused.setCookies).toEqual([])
      expect(own.events).toEqual([
        {
          type: 'reauthentication.failed',
          at: own.clock.now(),
          accountId: json.user.id,
        },
      ])
      expect((await own.call('GET', '/auth/me', { token: json.access_token })).status).toBe(200)
      expect((await own.refresh(json)).status).toBe(200)
    })

    test.each([undefined, null, 1, {}, ['a password']])(
      'needs a password that is text: %j',
      async (value) => {
        const { json } = await server.register()
        const answer = await server.call('DELETE', '/auth/me', {
          token: json.access_token,
          body: { password: value },
        })
        expect([answer.status, answer.json.code]).toEqual([400, 'invalid_request'])
        expect((await me(json.access_token)).status).toBe(200)
      },
    )

    test('needs a session: the password alone is 401, and a page of another site 403', async () => {
      const { json, cookies } = await server.register({ transport: 'cookie' })
      const body = { password: PASSWORD }
      expect((await server.call('DELETE', '/auth/me', { body })).json.code).toBe('token_required')
      for (const headers of [
        { origin: 'https://evil.example' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        {},
      ]) {
        const forged = await server.call('DELETE', '/auth/me', { cookies, headers, body })
        expect([forged.status, forged.json.code]).toEqual([403, 'origin_not_allowed'])
        const change = { cookies, headers, body: { name: 'Mallory' } }
        expect((await server.call('PATCH', '/auth/me', change)).json.code).toBe('origin_not_allowed')
      }
      expect(await server.auth.api.findUser(json.user.id)).toMatchObject({ name: null })
    })

    test('by 20 requests at once is deleted once', async () => {
      const email = someEmail()
      const { json } = await server.register({ email })
      server.events.splice(0)
      const answers = await Promise.all(Array.from({ length: 20 }, () => deleteMe(json.access_token)))
      const statuses = answers.map(({ status }) => status).sort()
      expect(statuses.filter((status) => status === 204)).toHaveLength(1)
      for (const { status, json } of answers.filter(({ status }) => status !== 204))
        expect([status, json.code]).toEqual(
          expect.arrayContaining([status === 401 ? 'session_ended' : 'wrong_password']),
        )
      expect(server.events.filter(({ type }) => type === 'account.deleted')).toHaveLength(1)
    })

    test('while it logs in 20 times: no session outlives it', async () => {
      const email = someEmail()
      const { json } = await server.register({ email })
      const other = await startAuth(server.database)
      const [deleted, ...logins] = await Promise.all([
        deleteMe(json.access_token),
        ...Array.from({ length: 20 }, (_, n) => (n % 2 ? server : other).login({ email })),
      ])
      expect(deleted.status).toBe(204)
      for (const login of logins) {
        if (login.status !== 200)
          expect([login.status, login.json.code]).toEqual([401, 'invalid_credentials'])
        else expect((await me(login.json.access_token)).json.end_reason).toBe('account_deleted')
      }
      const { sessions = [] } = await readTables(server.database)
      const alive = sessions.filter((row) => row['account_id'] === json.user.id && row['ended_at'] === null)
      expect(alive).toEqual([])
    })
  })

  describe('deleted by server code', () => {
    test('is gone just so, and a second time there is nothing to delete', async () => {
      const { json } = await server.register()
      expect(await server.auth.api.deleteUser(json.user.id)).toBe(true)
      expect(await server.auth.api.deleteUser(json.user.id)).toBe(false)
      expect(await server.auth.api.deleteUser('nobody')).toBe(false)
      expect((await server.refresh(json)).json.end_reason).toBe('account_deleted')
    })

    test('cannot be changed any more', async () => {
      const { json } = await server.register()
      const { id } = json.user
      await server.auth.api.deleteUser(id)
      expect(await server.auth.api.grant({ id, roles: ['admin'] })).toBeUndefined()
      expect(await server.auth.api.disableUser(id)).toBe(false)
      expect(await server.auth.api.enableUser(id)).toBe(false)
      expect(await server.auth.api.listSessions(id)).toEqual([])
    })

    test('is revoked by its epoch and by every session, for verifiers that keep tokens', async () => {
      const own = await startFreshAuth(database)
      const email = someEmail()
      const { json } = await own.register({ email })
      await own.login({ email })
      await own.auth.api.deleteUser(json.user.id)
      const { revocations = [] } = await readTables(own.database)
      expect(revocations.map(({ epoch }) => epoch).sort()).toEqual([1, null, null])
    })
  })

  describe('disabled and enabled again', () => {
    test('logs in again; the sessions that ended stay ended, with their reason', async () => {
      const email = someEmail()
      const { json } = await server.register({ email })
      const { id } = json.user
      expect(await server.auth.api.enableUser(id), 'not disabled').toBe(false)
      expect(await server.auth.api.disableUser(id)).toBe(true)
      expect((await server.login({ email })).json.code).toBe('account_disabled')
      expect(await server.auth.api.findUser(id)).toMatchObject({ disabled: true })

      server.events.splice(0)
      expect(await server.auth.api.enableUser(id)).toBe(true)
      expect(await server.auth.api.enableUser(id), 'a second time').toBe(false)
      expect(server.events).toEqual([{ type: 'account.enabled', at: server.clock.now(), accountId: id }])
      expect((await server.refresh(json)).json.end_reason).toBe('account_disabled')
      const login = await server.login({ email })
      expect(login.status).toBe(200)
      expect((await me(login.json.access_token)).status).toBe(200)
      expect(await server.auth.api.enableUser('nobody')).toBe(false)
    })

    test('while it logs in 20 times: no session is alive', async () => {
      const email = someEmail()
      const { json } = await server.register({ email })
      const other = await startAuth(server.database)
      const [, ...logins] = await Promise.all([
        server.auth.api.disableUser(json.user.id),
        ...Array.from({ length: 20 }, (_, n) => (n % 2 ? server : other).login({ email })),
      ])
      for (const login of logins)
        if (login.status !== 200) expect([login.status, login.json.code]).toEqual([403, 'account_disabled'])
      await server.auth.api.enableUser(json.user.id)
      expect(await server.auth.api.listSessions(json.user.id), 'not even once it is enabled').toEqual([])
    })
  })
})
