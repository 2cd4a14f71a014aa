import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { type MailingAuth, startMailingAuth } from './mailbox.ts'
import { query, readTables } from './read-database.ts'
import { type CallOptions, PASSWORD, startAuth, URL_OF_AUTH } from './start-auth.ts'

const NEW_PASSWORD = 'another horse battery'

const MANY = { reauthentication: { atOnce: 100, every: 900 } }

describe.each(databases)('a change of password, on $name', (database) => {
  let server: MailingAuth
  beforeAll(async () => {
    server = await startMailingAuth(database, { brakes: MANY })
  })

  const change = (options: CallOptions, body: Record<string, unknown> = {}) =>
    server.call('POST', '/auth/password', {
      body: { current_password: PASSWORD, new_password: NEW_PASSWORD, ...body },
      ...options,
    })

  test('gives the caller a new session and ends every old one, his own too', async () => {
    const before = await server.person()
    const elsewhere = await server.login({ email: before.email })
    const { status, json, headers } = await change({ token: before.access_token })
    expect(status).toBe(200)
    expect(json.session_id).not.toBe(before.session_id)
    expect(headers.get('authorization')).toBe(`Bearer ${json.access_token}`)
    expect(headers.get('cache-control')).toBe('no-store')

    for (const tokens of [before, elsewhere.json]) {
      const renewal = await server.refresh(tokens)
      expect([renewal.status, renewal.json.end_reason]).toEqual([401, 'password_changed'])
      const me = await server.call('GET', '/auth/me', { token: tokens.access_token })
      expect([me.status, me.json.end_reason]).toEqual([401, 'password_changed'])
    }
    expect((await server.call('GET', '/auth/me', { token: json.access_token })).status).toBe(200)
    expect((await server.refresh(json)).status).toBe(200)
    const { sessions } = (await server.call('GET', '/auth/sessions', { token: json.access_token })).json
    expect(sessions.map(({ id }) => id)).toEqual([json.session_id])
    expect((await server.login({ email: before.email })).status).toBe(401)
    expect((await server.login({ email: before.email, password: NEW_PASSWORD })).status).toBe(200)
  })

  test('raises the epoch and records what verifiers have to hear', async () => {
    const { access_token: token, user } = await server.person()
    const { revocations: earlier = [] } = await readTables(server.database)
    await change({ token })
    const { revocations = [], audit = [] } = await readTables(server.database)
    expect(revocations.slice(earlier.length).map((row) => row['epoch'])).toEqual([1, null])
    const [account] = await query(server.database, `select epoch from accounts where id = '${user.id}'`)
    expect(account).toEqual({ epoch: 1 })
    const told = audit.filter((row) => row['account_id'] === user.id).map((row) => row['type'])
    expect(told.slice(-3)).toEqual(['password.changed', 'session.ended', 'login.succeeded'])
    expect(server.events.filter(({ type }) => type === 'password.changed')).not.toEqual([])
  })

  test('delivers by cookies what came by cookies', async () => {
    const { email } = await server.person()
    const { cookies } = await server.login({ email, transport: 'cookie' })
    const answer = await change({ cookies, headers: { origin: URL_OF_AUTH } })
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.cookies)).toEqual([
      '__Host-mapae_access',
      '__Host-mapae_refresh',
      '__Host-mapae_device',
    ])
    expect(answer.json).not.toHaveProperty('access_token')
    const page = { headers: { origin: URL_OF_AUTH } }
    expect((await server.call('POST', '/auth/refresh', { ...page, cookies })).status).toBe(401)
    expect((await server.call('POST', '/auth/refresh', { ...page, cookies: answer.cookies })).status).toBe(
      200,
    )
  })

  test('keeps a cookie session out of scripts, though its access token came in a header', async () => {
    const { email } = await server.person()
    const { cookies } = await server.login({ email, transport: 'cookie' })
    const page = { cookies, headers: { origin: URL_OF_AUTH } }
    const { json } = await server.call('POST', '/auth/token', page)
    const answer = await change({ token: json.access_token })
    expect(answer.json).not.toHaveProperty('refresh_token')
    expect(answer.setCookies).toHaveLength(3)
  })

  test('by the cookies of a forged page is refused', async () => {
    const { email } = await server.person()
    const { cookies } = await server.login({ email, transport: 'cookie' })
    const answer = await change({ cookies, headers: { origin: 'https://evil.example' } })
    expect([answer.status, answer.json.code]).toEqual([403, 'origin_not_allowed'])
    expect((await server.login({ email })).status).toBe(200)
  })

  test('needs a session, and the current password', async () => {
    const { access_token: token, email, user } = await server.person()
    const stranger = await change({})
    expect([stranger.status, stranger.json.code]).toEqual([401, 'token_required'])
    const wrong = await change({ token }, { current_password: 'not the password' })
    expect([wrong.status, wrong.json.code]).toEqual([403, 'wrong_password'])
    expect(wrong.headers.get('www-authenticate'), 'a client must not take it for an expiry').toBeNull()
    expect((await server.call('GET', '/auth/me', { token })).status).toBe(200)
    expect((await server.login({ email })).status).toBe(200)
    const failed = await query(
      server.database,
      `select type from audit where account_id = '${user.id}' and type = 'reauthentication.failed'`,
    )
    expect(failed).toHaveLength(1)
  })

  test.each([
    ['zqxjkvb', 'password_too_short'],
    ['k'.repeat(1025), 'password_too_long'],
    ['password', 'password_too_common'],
    ['p3rson-007', 'password_too_obvious'],
  ])('to %.10s is refused, and changes nothing', async (new_password, refusal) => {
    const person = await server.person()
    const answer = await change({ token: person.access_token }, { new_password })
    expect([answer.status, answer.json.code]).toEqual([400, refusal])
    expect((await server.refresh(person)).status).toBe(200)
  })

  test.each([{}, null, 1, ['x']])('with %j for a password is malformed', async (value) => {
    const { access_token: token } = await server.person()
    for (const name of ['current_password', 'new_password']) {
      const answer = await change({ token }, { [name]: value })
      expect([answer.status, answer.json.errors[0]?.path]).toEqual([400, name])
    }
  })

  test('tried 12 times at once on two replicas happens once, and leaves one session', async () => {
    const { access_token: token, email, user } = await server.person()
    const other = await startAuth(server.database, { clock: server.clock.now, brakes: MANY })
    await other.auth.ready()
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        (index % 2 ? server : other).call('POST', '/auth/password', {
          token,
          body: { current_password: PASSWORD, new_password: `parallel horse ${index}` },
        }),
      ),
    )
    const winners = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []))
    expect(winners).toHaveLength(1)
    for (const [index, { status, json }] of answers.entries()) {
      if (index === winners[0]) continue
      expect(['wrong_password', 'session_ended']).toContain(json.code)
      expect([401, 403]).toContain(status)
    }
    const live = await query(
      server.database,
      `select id from sessions where account_id = '${user.id}' and ended_at is null`,
    )
    expect(live).toEqual([{ id: answers[winners[0] ?? 0]?.json.session_id }])
    const opens = await server.login({ email, password: `parallel horse ${winners[0]}` })
    expect(opens.status).toBe(200)
  })

  test('at the moment of a reset: one of both holds, and no session of the loser lives', async () => {
    for (let round = 0; round < 5; round++) {
      const { access_token: token, email, user } = await server.person()
      await server.call('POST', '/auth/password/forgot', { body: { email } })
      const code = await server.codeTo(email, '/reset-password')
      const [changed, reset] = await Promise.all([
        change({ token }, { new_password: 'changed horse battery' }),
        server.call('POST', '/auth/password/reset', { body: { code, password: 'reset horse battery' } }),
      ])
      const live = await query(
        server.database,
        `select id from sessions where account_id = '${user.id}' and ended_at is null`,
      )
      const holds = reset.status === 200 ? 'reset horse battery' : 'changed horse battery'
      expect([changed.status, reset.status].filter((status) => status < 300).length).toBeGreaterThan(0)
      expect((await server.login({ email, password: holds })).status).toBe(200)
      expect(live).toHaveLength(reset.status === 200 ? 0 : 1)
    }
  })

  test('is told to the person by mail, and voids every code of the account', async () => {
    const { access_token: token, email, user } = await server.person()
    expect((await change({ token })).status).toBe(200)
    const mails = await server.mailsTo(email)
    expect(mails.map(({ subject }) => subject)).toEqual(['Your password for auth.example.com was changed'])
    const live = await query(
      server.database,
      `select hash from codes where account_id = '${user.id}' and used_at is null`,
    )
    expect(live).toEqual([])
  })

  test('of somebody without an e-mail address is told to nobody', async () => {
    const { json } = await server.register({ username: `no-mail-${database.name}` })
    await server.auth.api.sendMails()
    server.mailbox.sent.splice(0)
    expect((await change({ token: json.access_token })).status).toBe(200)
    await server.auth.api.sendMails()
    expect(server.mailbox.sent).toEqual([])
  })
})
