import { decodeUnverified } from '@mapae/jwt'
import { AuthError, createAuth } from '@mapae/server'
import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { startBoundClient } from './bound-client.ts'
import { type MailingAuth, startMailbox, startMailingAuth } from './mailbox.ts'
import { readTables } from './read-database.ts'
import { PASSWORD, SECRET, someEmail, startAuth, URL_OF_AUTH } from './start-auth.ts'

describe.each(databases)('registration by the mailbox first, on $name', (database) => {
  let server: MailingAuth
  beforeAll(async () => {
    server = await startMailingAuth(database, { registration: 'verify-first' })
  })

  const ask = (body: Record<string, unknown>) => server.call('POST', '/auth/register', { body })
  const complete = (body: Record<string, unknown>) =>
    server.call('POST', '/auth/register/complete', { body: { password: PASSWORD, ...body } })
  const member = async () => {
    const email = someEmail()
    await ask({ email })
    const { status, json } = await complete({ code: await server.codeTo(email, '/finish-registration') })
    expect(status).toBe(201)
    return { email, ...json }
  }

  test('makes the account when the code of the mail is used, and logs its owner in', async () => {
    const email = someEmail()
    const answer = await ask({ email, password: PASSWORD })
    expect([answer.status, answer.text, answer.setCookies]).toEqual([202, '', []])
    expect((await server.login({ email })).json.code, 'nothing to log in to').toBe('invalid_credentials')
    const { accounts = [], identifiers = [] } = await readTables(server.database)
    expect(identifiers.filter((row) => row['display'] === email)).toEqual([])

    const code = await server.codeTo(email, '/finish-registration')
    const { status, json } = await complete({ code, name: 'Chun-hyang', username: `name-${database.name}` })
    expect(status).toBe(201)
    expect(json.user).toMatchObject({
      email,
      email_verified: true,
      name: 'Chun-hyang',
      username: `name-${database.name}`,
    })
    expect((await server.call('GET', '/auth/me', { token: json.access_token })).status).toBe(200)
    expect((await server.login({ email })).status).toBe(200)
    expect((await readTables(server.database))['accounts']).toHaveLength(accounts.length + 1)
  })

  test('answers a known and an unknown address alike, to the byte, with one mail each', async () => {
    const { email: known } = await member()
    const unknown = someEmail()
    const first = await ask({ email: unknown, password: PASSWORD })
    const second = await ask({ email: known, password: PASSWORD })
    expect([second.status, second.text]).toEqual([first.status, first.text])
    expect([...second.headers]).toEqual([...first.headers])
    const mails = [...(await server.mailsTo(unknown)), ...(await server.mailsTo(known))]
    expect(mails.map(({ subject }) => subject)).toEqual([
      'Finish your registration at auth.example.com',
      'You already have an account at auth.example.com',
    ])
    expect(mails[1]?.text).not.toContain('code=')
    expect(mails[1]?.text).toContain(`${URL_OF_AUTH}/forgot-password`)
  })

  test('keeps nothing of what somebody else put into the request: he does not have the account', async () => {
    const victim = someEmail()
    await ask({ email: victim, password: 'the attacker’s password', name: 'Trojan', username: 'trojan' })
    const code = await server.codeTo(victim, '/finish-registration')
    const { json } = await complete({ code, password: 'the owner’s password' })
    expect(json.user).toMatchObject({ email: victim, name: null, username: null })
    expect((await server.login({ email: victim, password: 'the attacker’s password' })).status).toBe(401)
    expect((await server.login({ identifier: 'trojan', password: 'the attacker’s password' })).status).toBe(
      401,
    )
    expect((await server.login({ email: victim, password: 'the owner’s password' })).status).toBe(200)
  })

  test('of one address by two people has one live code: that of the newer mail', async () => {
    const email = someEmail()
    await ask({ email })
    const older = await server.codeTo(email, '/finish-registration')
    await ask({ email: email.toUpperCase() })
    const newer = await server.codeTo(email.toUpperCase(), '/finish-registration')
    expect((await complete({ code: older })).json.code).toBe('invalid_code')
    expect((await complete({ code: newer })).status).toBe(201)
  })

  test('binds the session to the key of a proof, as a login does', async () => {
    const email = someEmail()
    await ask({ email })
    const code = await server.codeTo(email, '/finish-registration')
    const client = await startBoundClient(server)
    const complete = () =>
      client.once('POST', '/auth/register/complete', { body: { code, password: PASSWORD } })
    const asked = await complete()
    expect([asked.status, asked.json.code]).toEqual([400, 'use_dpop_nonce'])
    const { status, json } = await complete()
    const { jkt } = client.device
    expect([status, json.token_type]).toEqual([201, 'DPoP'])
    expect(decodeUnverified(json.access_token).claims['cnf']).toEqual({ jkt })
    expect((await server.call('GET', '/auth/me', { token: json.access_token })).status).toBe(401)
    expect((await client.refresh(json)).status).toBe(200)
  })

  test('with a wrong proof, or one beside cookies, makes nothing, and the code is as good as before', async () => {
    const email = someEmail()
    await ask({ email })
    const code = await server.codeTo(email, '/finish-registration')
    const client = await startBoundClient(server)
    const path = '/auth/register/complete'
    const body = { code, password: PASSWORD }
    const wrong = await client.call('POST', path, { body, headers: { dpop: 'wrong' } })
    const beside = await client.call('POST', path, { body: { ...body, transport: 'cookie' } })
    expect([wrong.json.code, beside.json.code]).toEqual(['invalid_dpop_proof', 'invalid_request'])
    expect((await client.call('POST', path, { body })).status).toBe(201)
  })

  test('takes "keep me logged in" turned off, as a login does', async () => {
    const email = someEmail()
    await ask({ email })
    const code = await server.codeTo(email, '/finish-registration')
    const { status, setCookies, json } = await complete({ code, remember: false, transport: 'cookie' })
    expect([status, json.refresh_expires_in]).toEqual([201, 12 * 3600])
    expect(setCookies.filter((cookie) => /max-age|expires/i.test(cookie))).toEqual([])
  })

  test('works once; 10 uses at once on two replicas make one account', async () => {
    const email = someEmail()
    await ask({ email })
    const code = await server.codeTo(email, '/finish-registration')
    const other = await startAuth(server.database, { clock: server.clock.now })
    await other.auth.ready()
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 ? server : other).call('POST', '/auth/register/complete', {
          body: { code, password: `parallel horse ${index}` },
        }),
      ),
    )
    const winners = answers.flatMap(({ status }, index) => (status === 201 ? [index] : []))
    expect(winners).toHaveLength(1)
    for (const [index, { json }] of answers.entries())
      if (index !== winners[0]) expect(['invalid_code', 'identifier_taken']).toContain(json.code)
    expect((await server.login({ email, password: `parallel horse ${winners[0]}` })).status).toBe(200)
    const { identifiers = [] } = await readTables(server.database)
    expect(identifiers.filter((row) => row['display'] === email)).toHaveLength(1)
  })

  test('is possible for a day, by the clock', async () => {
    const email = someEmail()
    await ask({ email })
    const code = await server.codeTo(email, '/finish-registration')
    server.clock.advance(24 * 3600)
    expect((await complete({ code })).json.code).toBe('invalid_code')
  })

  test('a username that is taken, or a bad password, leaves the code as good as before', async () => {
    const email = someEmail()
    await server.auth.api.createUser({ username: `taken-${database.name}`, password: PASSWORD })
    await ask({ email })
    const code = await server.codeTo(email, '/finish-registration')
    const taken = await complete({ code, username: `taken-${database.name}` })
    expect([taken.status, taken.json.code]).toEqual([409, 'identifier_taken'])
    const bad = await complete({ code, username: '-' })
    expect([bad.status, bad.json.code]).toEqual([400, 'invalid_identifier'])
    const short = await complete({ code, password: 'short' })
    expect([short.status, short.json.code]).toEqual([400, 'password_too_short'])
    expect((await complete({ code })).status).toBe(201)
  })

  test('an address that got an account meanwhile is refused at its mailbox', async () => {
    const email = someEmail()
    await ask({ email })
    const code = await server.codeTo(email, '/finish-registration')
    await server.auth.api.createUser({ email, password: PASSWORD })
    const answer = await complete({ code })
    expect([answer.status, answer.json.code]).toEqual([409, 'identifier_taken'])
  })

  test('needs an address', async () => {
    for (const body of [{}, { username: 'a-name', password: PASSWORD }, { email: 1 }]) {
      const answer = await ask(body)
      expect([answer.status, answer.json.code]).toEqual([400, 'invalid_request'])
    }
    const none = await ask({ email: 'none' })
    expect([none.status, none.json.code]).toEqual([400, 'invalid_identifier'])
  })

  test('a page of another site may not ask, nor finish', async () => {
    for (const [path, body] of [
      ['/auth/register', { email: someEmail() }],
      ['/auth/register/complete', { code: 'x', password: PASSWORD }],
    ] as const) {
      const answer = await server.call('POST', path, { body, headers: { origin: 'https://evil.example' } })
      expect([answer.status, answer.json.code]).toEqual([403, 'origin_not_allowed'])
    }
  })

  test('delivers to a browser by cookies', async () => {
    const email = someEmail()
    await ask({ email })
    const answer = await server.call('POST', '/auth/register/complete', {
      body: { code: await server.codeTo(email, '/finish-registration'), password: PASSWORD },
      headers: { origin: URL_OF_AUTH },
    })
    expect([answer.status, answer.setCookies.length]).toEqual([201, 3])
  })

  test.each([
    [{}, 'verify-first needs a mailer'],
    [
      { mailer: startMailbox().mailer, identifiers: ['username'] as const },
      'verify-first needs e-mail addresses',
    ],
  ])('cannot be without what it takes: %j', (options, problem) => {
    const make = () =>
      createAuth({ url: URL_OF_AUTH, secret: SECRET, registration: 'verify-first', ...options })
    expect(make).toThrow(AuthError)
    expect(make).toThrow(problem)
  })
})
