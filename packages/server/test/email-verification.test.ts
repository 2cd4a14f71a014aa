import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { type MailingAuth, startMailingAuth } from './mailbox.ts'
import { query, readTables } from './read-database.ts'
import { type CallOptions, PASSWORD, someEmail, startAuth, URL_OF_AUTH } from './start-auth.ts'

describe.each(databases)('the proof of an e-mail address, on $name', (database) => {
  let server: MailingAuth
  beforeAll(async () => {
    server = await startMailingAuth(database)
  })

  const verify = (code: string, options: CallOptions = {}, password?: string) =>
    server.call('POST', '/auth/email/verify', {
      body: { code, ...(password !== undefined && { password }) },
      ...options,
    })
  const resend = (token: string) => server.call('POST', '/auth/email/verify/resend', { token })
  const isVerified = async (token: string) =>
    (await server.call('GET', '/auth/me', { token })).json.user.email_verified

  test('is asked for when somebody registers, who is logged in all the same', async () => {
    const email = someEmail()
    const { status, json } = await server.register({ email })
    expect([status, json.user.email_verified]).toEqual([201, false])
    const mails = await server.mailsTo(email)
    expect(mails.map(({ subject }) => subject)).toEqual(['Confirm your e-mail address for auth.example.com'])
    expect((await server.login({ email })).status, 'logging in needs no proof').toBe(200)
  })

  test('is given by the code and a session of the account', async () => {
    const { access_token: token, verification = '', user } = await server.person()
    const answer = await verify(verification, { token })
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect(await isVerified(token)).toBe(true)
    const told = await query(
      server.database,
      `select type from audit where account_id = '${user.id}' and type = 'email.verified'`,
    )
    expect(told).toHaveLength(1)
  })

  test('is given to an account that has kept its former key, too', async () => {
    const { json } = await server.register({ email: 'me@B\u00fccher.example' })
    const { access_token: token, user } = json
    const former = `update identifiers set value = 'me@b\u00fccher.example' where account_id = '${user.id}'`
    await query(server.database, former)
    const other = (await server.register({ email: 'me@xn--bcher-kva.example' })).json
    const code = await server.codeTo('me@B\u00fccher.example', '/verify-email')
    expect((await verify(code, { token })).status).toBe(204)
    expect([await isVerified(token), await isVerified(other.access_token)]).toEqual([true, false])
  })

  test('is given by the code and the password, on another device', async () => {
    const { access_token: token, verification = '' } = await server.person()
    expect((await verify(verification, {}, PASSWORD)).status).toBe(204)
    expect(await isVerified(token)).toBe(true)
  })

  test('is not given by the code alone: a stranger’s registration is not helped by a click', async () => {
    const { access_token: token, verification = '' } = await server.person()
    const alone = await verify(verification)
    expect([alone.status, alone.json.code]).toEqual([403, 'reauthentication_required'])
    const wrong = await verify(verification, {}, 'not the password')
    expect([wrong.status, wrong.json.code]).toEqual([403, 'wrong_password'])
    const other = await server.person()
    const another = await verify(verification, { token: other.access_token })
    expect([another.status, another.json.code]).toEqual([403, 'reauthentication_required'])
    expect(await isVerified(token)).toBe(false)
    expect((await verify(verification, { token })).status, 'the code is as good as before').toBe(204)
  })

  test('by cookies needs a page of ours', async () => {
    const { email, verification = '' } = await server.person()
    const { cookies } = await server.login({ email, transport: 'cookie' })
    const forged = await verify(verification, { cookies, headers: { origin: 'https://evil.example' } })
    expect([forged.status, forged.json.code]).toEqual([403, 'origin_not_allowed'])
    expect((await verify(verification, { cookies, headers: { origin: URL_OF_AUTH } })).status).toBe(204)
  })

  test('with a token that is not good is a 401, so that the client renews it', async () => {
    const { access_token: token, verification = '' } = await server.person()
    server.clock.advance(301)
    const answer = await verify(verification, { token })
    expect([answer.status, answer.json.code]).toEqual([401, 'invalid_token'])
  })

  test('works once; 20 uses at once on two replicas give one success', async () => {
    const { access_token: token, verification = '' } = await server.person()
    const other = await startAuth(server.database, { clock: server.clock.now })
    await other.auth.ready()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? server : other).call('POST', '/auth/email/verify', {
          token,
          body: { code: verification },
        }),
      ),
    )
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1)
    for (const { status, json } of answers)
      if (status !== 204) expect([status, json.code]).toEqual([400, 'invalid_code'])
    expect((await verify(verification, { token })).json.code).toBe('invalid_code')
  })

  test('is possible for a day, by the clock', async () => {
    const { email, verification = '' } = await server.person()
    server.clock.advance(24 * 3600)
    expect((await verify(verification, {}, PASSWORD)).json.code).toBe('invalid_code')
    const { json } = await server.login({ email })
    expect((await resend(json.access_token)).status).toBe(202)
    const code = await server.codeTo(email, '/verify-email')
    server.clock.advance(24 * 3600 - 1)
    expect((await verify(code, {}, PASSWORD)).status).toBe(204)
  })

  describe('asked for once more', () => {
    test('sends another code and voids the first', async () => {
      const { access_token: token, email, verification = '' } = await server.person()
      const answer = await resend(token)
      expect([answer.status, answer.text]).toEqual([202, ''])
      const code = await server.codeTo(email, '/verify-email')
      expect((await verify(verification, { token })).json.code).toBe('invalid_code')
      expect((await verify(code, { token })).status).toBe(204)
    })

    test('where there is nothing to prove is refused', async () => {
      const { access_token: token, email, verification = '' } = await server.person()
      await verify(verification, { token })
      const proved = await resend(token)
      expect([proved.status, proved.json.code]).toEqual([409, 'nothing_to_verify'])
      const { json } = await server.register({ username: `nameless-${database.name}` })
      expect((await resend(json.access_token)).json.code).toBe('nothing_to_verify')
      expect(await server.mailsTo(email)).toEqual([])
    })

    test('needs a session', async () => {
      const answer = await server.call('POST', '/auth/email/verify/resend')
      expect([answer.status, answer.json.code]).toEqual([401, 'token_required'])
    })
  })

  test('a registration that is refused sends nothing', async () => {
    const { email } = await server.person()
    expect((await server.register({ email })).status).toBe(409)
    expect(await server.mailsTo(email)).toEqual([])
    const { mails } = await readTables(server.database)
    expect(mails).toEqual([])
  })

  test('the one who disabled an account cannot be got round', async () => {
    const { verification = '', user } = await server.person()
    await server.auth.api.disableUser(user.id)
    const answer = await verify(verification, {}, PASSWORD)
    expect([answer.status, answer.json.code]).toEqual([403, 'account_disabled'])
  })

  test.each([{}, null, 1, 'k'.repeat(257), 'a\0b'])('%j is no code', async (code) => {
    const answer = await server.call('POST', '/auth/email/verify', { body: { code } })
    expect([answer.status, answer.json.code]).toEqual([400, 'invalid_request'])
  })
})

describe.each(databases)('a change of e-mail address, on $name', (database) => {
  let server: MailingAuth
  beforeAll(async () => {
    server = await startMailingAuth(database)
  })

  const change = (token: string | undefined, email: string, password = PASSWORD) =>
    server.call('POST', '/auth/email/change', {
      ...(token !== undefined && { token }),
      body: { email, password },
    })
  const verify = (code: string, options: CallOptions = {}, password?: string) =>
    server.call('POST', '/auth/email/verify', {
      body: { code, ...(password !== undefined && { password }) },
      ...options,
    })

  test('happens when the code from the new mailbox is used, not before', async () => {
    const { access_token: token, email: old } = await server.person()
    const email = someEmail()
    const answer = await change(token, email)
    expect([answer.status, answer.text]).toEqual([202, ''])
    const [notice] = await server.mailsTo(old)
    expect(notice?.subject).toBe('A new e-mail address for auth.example.com was asked for')
    expect(notice?.text).not.toContain('code=')
    expect(notice?.text).not.toContain(email)
    expect((await server.login({ email: old })).status).toBe(200)
    expect((await server.login({ email })).status).toBe(401)

    const code = await server.codeTo(email, '/verify-email')
    expect((await verify(code, { token })).status).toBe(204)
    expect((await server.login({ email: old })).status).toBe(401)
    const { json } = await server.login({ email })
    expect(json.user).toMatchObject({ email, email_verified: true })
    const after = await server.mailsTo(old)
    expect(after.map(({ subject }) => subject)).toEqual([
      'Your e-mail address for auth.example.com was changed',
    ])
  })

  test('leaves the sessions as they are', async () => {
    const person = await server.person()
    const email = someEmail()
    await change(person.access_token, email)
    await verify(await server.codeTo(email, '/verify-email'), {}, PASSWORD)
    expect((await server.refresh(person)).status).toBe(200)
  })

  test('needs a session and the password', async () => {
    const { access_token: token } = await server.person()
    const email = someEmail()
    const stranger = await change(undefined, email)
    expect([stranger.status, stranger.json.code]).toEqual([401, 'token_required'])
    const wrong = await change(token, email, 'not the password')
    expect([wrong.status, wrong.json.code]).toEqual([403, 'wrong_password'])
    const none = await change(token, 'nobody')
    expect([none.status, none.json.code]).toEqual([400, 'invalid_identifier'])
    expect(await server.mailsTo(email)).toEqual([])
  })

  test('to a mistyped address gives its owner nothing', async () => {
    const { access_token: token, email: old } = await server.person()
    const stranger = someEmail()
    await change(token, stranger)
    const code = await server.codeTo(stranger, '/verify-email')
    expect((await verify(code)).json.code).toBe('reauthentication_required')
    expect((await verify(code, {}, 'a guess')).json.code).toBe('wrong_password')
    expect((await server.login({ email: old })).status).toBe(200)
  })

  test('to an address that is taken is answered the same, to the byte, and told to its mailbox alone', async () => {
    const { email: taken } = await server.person()
    const { access_token: token } = await server.person()
    const free = await change(token, someEmail())
    const answer = await change(token, taken)
    expect([answer.status, answer.text]).toEqual([free.status, free.text])
    expect([...answer.headers]).toEqual([...free.headers])
    const mails = await server.mailsTo(taken)
    expect(mails.map(({ subject }) => subject)).toEqual([
      'auth.example.com: this address has an account already',
    ])
    expect(mails[0]?.text).not.toContain('code=')
  })

  test('to an address that somebody else got meanwhile is refused, and nothing changes', async () => {
    const { access_token: token, email: old } = await server.person()
    const email = someEmail()
    await change(token, email)
    const code = await server.codeTo(email, '/verify-email')
    await server.register({ email })
    const answer = await verify(code, { token })
    expect([answer.status, answer.json.code]).toEqual([409, 'identifier_taken'])
    expect((await server.login({ email: old })).json.user.email).toBe(old)
    expect(await server.mailsTo(old), 'only that it was asked for').toHaveLength(1)
  })

  test('voids what is in the old mailbox', async () => {
    const { access_token: token, email: old, verification = '' } = await server.person()
    await server.call('POST', '/auth/password/forgot', { body: { email: old } })
    const reset = await server.codeTo(old, '/reset-password')
    const email = someEmail()
    await change(token, email)
    expect((await verify(await server.codeTo(email, '/verify-email'), { token })).status).toBe(204)
    const late = await server.call('POST', '/auth/password/reset', {
      body: { code: reset, password: 'another horse battery' },
    })
    expect(late.json.code).toBe('invalid_code')
    expect((await verify(verification, { token })).json.code).toBe('invalid_code')
  })

  test('is off once another is asked for', async () => {
    const { access_token: token } = await server.person()
    const [first, second] = [someEmail(), someEmail()]
    await change(token, first)
    const older = await server.codeTo(first, '/verify-email')
    await change(token, second)
    expect((await verify(older, { token })).json.code).toBe('invalid_code')
    expect((await verify(await server.codeTo(second, '/verify-email'), { token })).status).toBe(204)
  })

  test('to 10 addresses by 10 codes at once, on two replicas, ends at one of one', async () => {
    const { access_token: token, user } = await server.person()
    const email = someEmail()
    await change(token, email)
    const code = await server.codeTo(email, '/verify-email')
    const other = await startAuth(server.database, { clock: server.clock.now })
    await other.auth.ready()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? server : other).call('POST', '/auth/email/verify', { token, body: { code } }),
      ),
    )
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1)
    const told = await query(
      server.database,
      `select type from audit where account_id = '${user.id}' and type = 'email.changed'`,
    )
    expect(told).toHaveLength(1)
  })

  test('is one of writing too', async () => {
    const email = `someone.${database.name}@example.com`
    const { access_token: token } = await server.person({ email })
    await server.mailsTo(email)
    const written = email.replace('someone', 'SomeOne')
    await change(token, written)
    const code = await server.codeTo(written, '/verify-email')
    expect((await verify(code, { token })).status).toBe(204)
    expect((await server.call('GET', '/auth/me', { token })).json.user.email).toBe(written)
  })

  test('gives somebody who had none an address', async () => {
    const { json } = await server.register({ username: `no-address-${database.name}` })
    const email = someEmail()
    await change(json.access_token, email)
    await verify(await server.codeTo(email, '/verify-email'), { token: json.access_token })
    expect((await server.login({ email })).json.user).toMatchObject({ email, email_verified: true })
  })

  test('where people have usernames alone is refused', async () => {
    const names = await startMailingAuth(database, { identifiers: ['username'] })
    const { json } = await names.register({ username: 'only-a-name' })
    const answer = await names.call('POST', '/auth/email/change', {
      token: json.access_token,
      body: { email: someEmail(), password: PASSWORD },
    })
    expect([answer.status, answer.json.code]).toEqual([400, 'invalid_identifier'])
  })
})
