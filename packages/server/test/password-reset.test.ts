import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { codeIn, type MailingAuth, startMailingAuth } from './mailbox.ts'
import { query, readEverything, readTables } from './read-database.ts'
import { PASSWORD, SECRET, someEmail, startAuth, startFreshAuth, URL_OF_AUTH } from './start-auth.ts'

const NEW_PASSWORD = 'another horse battery'
const HOUR = 3600

describe.each(databases)('a forgotten password, on $name', (database) => {
  let server: MailingAuth
  beforeAll(async () => {
    server = await startMailingAuth(database)
  })

  const forgot = (email: string, headers: Record<string, string> = {}) =>
    server.call('POST', '/auth/password/forgot', { body: { email }, headers })
  const reset = (code: string, password = NEW_PASSWORD) =>
    server.call('POST', '/auth/password/reset', { body: { code, password } })
  const codeFor = async (email: string) => {
    expect((await forgot(email)).status).toBe(202)
    return server.codeTo(email, '/reset-password')
  }

  test('is set anew by the code of a mail, and logs nobody in', async () => {
    const { email } = await server.person()
    const answer = await reset(await codeFor(email))
    expect([answer.status, Object.keys(answer.json), answer.setCookies]).toEqual([200, ['device_token'], []])
    expect((await server.login({ email })).json.code).toBe('invalid_credentials')
    expect((await server.login({ email, password: NEW_PASSWORD })).status).toBe(200)
  })

  test('is set anew for an account that has kept its former key, or was given it by an older version', async () => {
    const { user } = (await server.register({ email: 'me@Zürich.example' })).json
    await server.mailsTo('me@Zürich.example')
    const mine = `where account_id = '${user.id}'`
    await query(server.database, `update identifiers set value = 'me@zürich.example' ${mine}`)
    await forgot('ME@zürich.example')
    expect((await reset(await server.codeTo('me@Zürich.example', '/reset-password'))).status).toBe(200)
    expect((await server.login({ email: 'me@zürich.example', password: NEW_PASSWORD })).status).toBe(200)
  })

  test('ends every session, with its reason, and refuses every token', async () => {
    const first = await server.person()
    const cookie = await server.login({ email: first.email, transport: 'cookie' })
    expect((await reset(await codeFor(first.email))).status).toBe(200)

    const renewal = await server.refresh(first)
    expect([renewal.status, renewal.json.code, renewal.json.end_reason]).toEqual([
      401,
      'session_ended',
      'password_reset',
    ])
    const me = await server.call('GET', '/auth/me', { token: first.access_token })
    expect([me.status, me.json.end_reason]).toEqual([401, 'password_reset'])
    const page = { cookies: cookie.cookies, headers: { origin: URL_OF_AUTH } }
    expect((await server.call('POST', '/auth/refresh', page)).json.end_reason).toBe('password_reset')

    const [account] = await query(server.database, `select epoch from accounts where id = '${first.user.id}'`)
    expect(account).toEqual({ epoch: 1 })
    const { audit = [] } = await readTables(server.database)
    const told = audit.filter((row) => row['account_id'] === first.user.id).map((row) => row['type'])
    expect(told).toEqual(
      expect.arrayContaining(['password.reset_asked', 'password.reset', 'email.verified', 'session.ended']),
    )
    expect(told.filter((type) => type === 'session.ended')).toHaveLength(2)
  })

  test('proves the address that the code was sent to, and the person is told', async () => {
    const { email } = await server.person()
    await reset(await codeFor(email))
    const { json } = await server.login({ email, password: NEW_PASSWORD })
    expect(json.user.email_verified).toBe(true)
    const [notice, ...others] = await server.mailsTo(email)
    expect(others).toEqual([])
    expect(notice?.subject).toBe('Your password for auth.example.com was reset')
    expect(notice?.text).not.toContain('code=')
  })

  test('throws out whoever registered with somebody else’s address, and what he had begun', async () => {
    const attackers = await server.person({ username: 'trojan-name' })
    const change = await server.call('POST', '/auth/email/change', {
      token: attackers.access_token,
      body: { email: 'attacker@evil.example', password: PASSWORD },
    })
    expect(change.status).toBe(202)
    const trap = await server.codeTo('attacker@evil.example', '/verify-email')
    const pending = await server.call('POST', '/auth/password/forgot', { body: { email: attackers.email } })
    expect(pending.status).toBe(202)
    const mails = await server.mailsTo(attackers.email)
    const code = /reset-password\?code=(\S+)/.exec(mails.map(({ text }) => text).join())?.[1] ?? ''

    expect((await reset(code)).status).toBe(200)
    expect((await server.refresh(attackers)).status, 'unexpired session').toBe(401)
    expect((await server.login({ identifier: 'trojan-name' })).status, 'trojan identifier').toBe(401)
    const late = await server.call('POST', '/auth/email/verify', {
      body: { code: trap, password: NEW_PASSWORD },
    })
    expect([late.status, late.json.code], 'unexpired e-mail change').toEqual([400, 'invalid_code'])
    expect((await server.login({ email: attackers.email, password: NEW_PASSWORD })).status).toBe(200)
  })

  describe('a code', () => {
    test('works once', async () => {
      const { email } = await server.person()
      const code = await codeFor(email)
      expect((await reset(code)).status).toBe(200)
      const again = await reset(code, 'a third horse battery')
      expect([again.status, again.json.code]).toEqual([400, 'invalid_code'])
      expect((await server.login({ email, password: NEW_PASSWORD })).status).toBe(200)
    })

    test('that 20 requests on two replicas use at once works once', async () => {
      const { email } = await server.person()
      const code = await codeFor(email)
      const other = await startAuth(server.database, { clock: server.clock.now })
      await other.auth.ready()
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 ? server : other).call('POST', '/auth/password/reset', {
            body: { code, password: `parallel horse ${index}` },
          }),
        ),
      )
      const winners = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []))
      expect(winners).toHaveLength(1)
      for (const [index, { status, json }] of answers.entries())
        if (index !== winners[0]) expect([status, json.code]).toEqual([400, 'invalid_code'])
      const opens = await server.login({ email, password: `parallel horse ${winners[0]}` })
      expect(opens.status).toBe(200)
    })

    test('lives an hour, by the clock', async () => {
      const { email } = await server.person()
      const code = await codeFor(email)
      server.clock.advance(HOUR)
      expect((await reset(code)).json.code).toBe('invalid_code')
      const next = await codeFor(email)
      server.clock.advance(HOUR - 1)
      expect((await reset(next)).status).toBe(200)
    })

    test('lives as long as the option says, which the mail tells', async () => {
      const own = await startMailingAuth(database, { codeLifetime: 600 })
      const { email } = await own.person()
      const ask = async (language: string) => {
        const headers = { 'accept-language': language }
        await own.call('POST', '/auth/password/forgot', { body: { email }, headers })
        const [mail] = await own.mailsTo(email)
        return { text: mail?.text, code: (mail && codeIn(mail, '/reset-password')) ?? '' }
      }
      const set = (code: string) =>
        own.call('POST', '/auth/password/reset', { body: { code, password: NEW_PASSWORD } })
      const korean = await ask('ko')
      expect(korean.text).toContain('이 링크는 10분 안에 한 번만')
      own.clock.advance(600)
      expect((await set(korean.code)).json.code).toBe('invalid_code')
      const english = await ask('en')
      expect(english.text).toContain('The link works once, within 10 minutes.')
      own.clock.advance(599)
      expect((await set(english.code)).status).toBe(200)
      for (const codeLifetime of [299, 86_401, 600.5])
        await expect(startFreshAuth(database, { codeLifetime })).rejects.toMatchObject({
          code: 'options_invalid',
        })
    })

    test('is void once there is a newer one', async () => {
      const { email } = await server.person()
      const older = await codeFor(email)
      const newer = await codeFor(email)
      expect((await reset(older)).json.code).toBe('invalid_code')
      expect((await reset(newer)).status).toBe(200)
    })

    test('of many that are asked for at once is one', async () => {
      const many = { atOnce: 20, every: 900 }
      const server = await startMailingAuth(database, { brakes: { mailsToMailbox: many } })
      const { email, user } = await server.person()
      const forgot = () => server.call('POST', '/auth/password/forgot', { body: { email } })
      await Promise.all(Array.from({ length: 8 }, forgot))
      const mails = await server.mailsTo(email)
      expect(mails).toHaveLength(8)
      const live = await query(
        server.database,
        `select hash from codes where account_id = '${user.id}' and purpose = 'reset-password' and used_at is null`,
      )
      expect(live).toHaveLength(1)
      const codes = mails.map(({ text }) => /reset-password\?code=(\S+)/.exec(text)?.[1] ?? '')
      const answers: number[] = []
      for (const code of codes) {
        const body = { code, password: NEW_PASSWORD }
        answers.push((await server.call('POST', '/auth/password/reset', { body })).status)
      }
      expect(answers.filter((status) => status === 200)).toHaveLength(1)
    })

    test('is void once the password was changed', async () => {
      const person = await server.person()
      const code = await codeFor(person.email)
      const change = await server.call('POST', '/auth/password', {
        token: person.access_token,
        body: { current_password: PASSWORD, new_password: 'a changed horse battery' },
      })
      expect(change.status).toBe(200)
      expect((await reset(code)).json.code).toBe('invalid_code')
    })

    test.each([
      ['zqxjkvb', 'password_too_short'],
      ['k'.repeat(1025), 'password_too_long'],
      ['password', 'password_too_common'],
      ['p3rson-007', 'password_too_obvious'],
    ])('is not used up by the password %.10s, which is refused', async (password, refusal) => {
      const { email } = await server.person()
      const code = await codeFor(email)
      const answer = await reset(code, password)
      expect([answer.status, answer.json.code]).toEqual([400, refusal])
      expect((await server.login({ email })).status, 'the old one still holds').toBe(200)
      expect((await reset(code)).status).toBe(200)
    })

    test('of another purpose, a made-up one and none are one answer', async () => {
      const { verification = '' } = await server.person()
      const answers = [
        await reset(verification),
        await reset('A'.repeat(43)),
        await reset(''),
        await reset('한글'),
      ]
      for (const { status, json, text } of answers) {
        expect([status, json.code]).toEqual([400, 'invalid_code'])
        expect(text).toBe(answers[0]?.text)
      }
    })

    test('of an account that was disabled since is refused, and enables nothing', async () => {
      const { email, user } = await server.person()
      const code = await codeFor(email)
      await server.auth.api.disableUser(user.id)
      const answer = await reset(code)
      expect([answer.status, answer.json.code]).toEqual([403, 'account_disabled'])
      expect((await server.login({ email, password: NEW_PASSWORD })).json.code).toBe('invalid_credentials')
      expect((await forgot(email)).status).toBe(202)
      expect(await server.mailsTo(email)).toEqual([])
    })

    test('is nowhere in the database, nor is the mail that carries it', async () => {
      const { email } = await server.person()
      server.mailbox.breakDown(() => new Error('not now'))
      onTestFinished(() => server.mailbox.breakDown())
      await forgot(email)
      await server.auth.api.sendMails()
      const waiting = await readEverything(server.database)
      server.mailbox.breakDown()
      server.clock.advance(60)
      const code = await server.codeTo(email, '/reset-password')
      for (const stored of [waiting, await readEverything(server.database)]) {
        expect(stored).not.toContain(code)
        expect(stored).not.toContain('reset-password?code')
      }
      expect(JSON.stringify((await readTables(server.database))['mails'])).not.toContain(email)
      expect((await reset(code)).status).toBe(200)
    })
  })

  describe('asked for with an unknown address', () => {
    test('gets the answer that a known one gets, to the byte', async () => {
      const { email } = await server.person()
      const known = await forgot(email)
      const unknown = await forgot(someEmail())
      expect(known.status).toBe(202)
      expect([unknown.status, unknown.text]).toEqual([known.status, known.text])
      expect([...unknown.headers]).toEqual([...known.headers])
    })

    test('sends nothing, and leaves nothing behind', async () => {
      const email = someEmail()
      await forgot(email)
      expect(await server.mailsTo(email)).toEqual([])
      const { codes = [], mails = [] } = await readTables(server.database)
      expect(codes.filter((row) => row['value'] === email)).toEqual([])
      expect(mails).toEqual([])
    })
  })

  test('the mail goes to the address of the account, however the asked one was written', async () => {
    const email = `Person.Of.Case-${database.name}@Example.com`
    await server.person({ email })
    await server.mailsTo(email)
    await forgot(email.toUpperCase())
    expect(await server.mailsTo(email.toUpperCase())).toEqual([])
    const [mail] = await server.mailsTo(email)
    expect(mail?.to).toBe(email)
  })

  test('the link is of the configured url, whatever host the request names', async () => {
    const { email } = await server.person()
    await server.call('POST', 'https://evil.example/auth/password/forgot', {
      body: { email },
      headers: {
        host: 'evil.example',
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'http',
        forwarded: 'host=evil.example',
      },
    })
    const [mail] = await server.mailsTo(email)
    expect(mail?.text).toContain(`${URL_OF_AUTH}/reset-password?code=`)
    expect(JSON.stringify(mail)).not.toContain('evil')
  })

  test.each([
    ['ko-KR,ko;q=0.9', 'auth.example.com 비밀번호 재설정', '안녕하세요.'],
    ['en', 'Reset your password for auth.example.com', 'Hello,'],
  ])('the mail is in the language that %s asks for', async (accepted, subject, greeting) => {
    const { email } = await server.person()
    await forgot(email, { 'accept-language': accepted })
    const [mail] = await server.mailsTo(email)
    expect(mail?.subject).toBe(subject)
    expect(mail?.text.startsWith(greeting)).toBe(true)
  })

  describe('asked for by an administrator', () => {
    test('goes to the account’s own address, in its language, and gives the administrator nothing', async () => {
      const { email, user, access_token: token } = await server.person()
      await server.call('PATCH', '/auth/me', { token, body: { locale: 'ko-KR' } })
      expect(await server.auth.api.as('ops').sendPasswordReset(user.id)).toBe(true)
      expect((await server.login({ email })).status, 'the old one holds').toBe(200)
      const [mail] = await server.mailsTo(email)
      expect(mail?.subject).toBe('auth.example.com 비밀번호 재설정')
      const code = (mail && codeIn(mail, '/reset-password')) ?? ''
      expect((await reset(code)).status).toBe(200)
      expect((await server.login({ email, password: NEW_PASSWORD })).status).toBe(200)
      const asked = await query(
        server.database,
        `select actor, done_by from audit where account_id = '${user.id}' and type = 'password.reset_asked'`,
      )
      expect(asked).toEqual([{ actor: 'admin', done_by: 'ops' }])
    })

    test('is not sent for an account that is not there, has no address or is disabled, nor without a mailer', async () => {
      const { api } = server.auth
      const { user: disabled } = await server.person()
      await api.disableUser(disabled.id)
      const nameless = await api.createUser({ username: `reset-${database.name}`, password: PASSWORD })
      for (const id of ['nobody', disabled.id, nameless.id])
        expect(await api.sendPasswordReset(id)).toBe(false)
      const silent = await startFreshAuth(database)
      const { json } = await silent.register()
      const sent = silent.auth.api.sendPasswordReset(json.user.id)
      await expect(sent).rejects.toMatchObject({ code: 'mail_not_configured' })
    })
  })

  test('an address that is none is refused', async () => {
    for (const email of [
      'no-address',
      'a@example.com, b@example.com',
      'Me <me@example.com>',
      'x@y.z\nbcc: a@b.cc',
    ]) {
      const answer = await forgot(email)
      expect([answer.status, answer.json.code], email).toEqual([400, 'invalid_identifier'])
    }
  })

  test('a page of another site may not ask, nor set', async () => {
    const headers = { origin: 'https://evil.example' }
    for (const [path, body] of [
      ['/auth/password/forgot', { email: someEmail() }],
      ['/auth/password/reset', { code: 'x', password: NEW_PASSWORD }],
    ] as const) {
      const answer = await server.call('POST', path, { body, headers })
      expect([answer.status, answer.json.code]).toEqual([403, 'origin_not_allowed'])
    }
  })

  test('without a mailer nothing is promised', async () => {
    const silent = await startFreshAuth(database, { secret: SECRET })
    const { json } = await silent.register()
    for (const [path, body] of [
      ['/auth/password/forgot', { email: someEmail() }],
      ['/auth/email/verify/resend', {}],
      ['/auth/email/change', { email: someEmail(), password: PASSWORD }],
    ] as const) {
      const answer = await silent.call('POST', path, { token: json.access_token, body })
      expect([answer.status, answer.json.code], path).toEqual([501, 'mail_not_configured'])
    }
    const { mails, codes } = await readTables(silent.database)
    expect([mails, codes]).toEqual([[], []])
    const change = await silent.call('POST', '/auth/password', {
      token: json.access_token,
      body: { current_password: PASSWORD, new_password: NEW_PASSWORD },
    })
    expect(change.status, 'changing a password needs no mail').toBe(200)
  })
})
