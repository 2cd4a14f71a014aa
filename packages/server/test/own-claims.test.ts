import { AuthError, type AuthEvent, type AuthOptions } from '@mapae/server'
import { describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { readTables } from './read-database.ts'
import { type Answer, startFreshAuth, type TestAuth } from './start-auth.ts'

const CARD = '4111111111111111'
const APP = 'https://app.example'

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

/** What was told of: of errors their code and message, of other events the type and the detail. */
const told = (events: readonly AuthEvent[]): unknown[] =>
  events.flatMap((event): unknown[] => {
    if (event.type === 'error') return [event.error instanceof AuthError ? event.error : String(event.error)]
    return event.type.startsWith('access_token.') && 'detail' in event ? [[event.type, event.detail]] : []
  })

/** Every table but the brakes: a login is counted, and taken back. */
async function kept({ database }: TestAuth) {
  const { brakes: _, ...tables } = await readTables(database)
  return tables
}

describe.each(databases)('the claims option, on $name', (database) => {
  /** A server whose claims the test sets when it likes. */
  async function start(options: Partial<AuthOptions> = {}) {
    const now: { claims: unknown } = { claims: {} }
    const server = await startFreshAuth(database, { claims: () => now.claims as never, ...options })
    const give = (claims: unknown) => {
      now.claims = claims
    }
    return { server, give }
  }

  /** The message that the log gets; the person gets none of it. */
  function expectRefused(server: TestAuth, answer: Answer): string {
    expect([answer.status, answer.json.code]).toEqual([500, 'claims_refused'])
    expect(answer.json).not.toHaveProperty('detail')
    expect(answer.json).not.toHaveProperty('access_token')
    expect(answer.setCookies).toEqual([])
    const [error, ...others] = told(server.events.splice(0))
    expect(others).toEqual([])
    if (!(error instanceof AuthError)) throw new Error(`not refused for its claims: ${error}`)
    expect(error.code).toBe('claims_refused')
    expect(answer.text).not.toContain(error.message)
    return error.message
  }

  test('adds to access tokens, as it is written in JSON', async () => {
    const { server, give } = await start()
    give({ [`${APP}/plan`]: 'gold', [`${APP}/since`]: new Date(0), [`${APP}/none`]: undefined })
    const claims = claimsOf((await server.register()).json.access_token)
    expect(claims).toMatchObject({ [`${APP}/plan`]: 'gold', [`${APP}/since`]: '1970-01-01T00:00:00.000Z' })
    expect(claims).not.toHaveProperty([`${APP}/none`])
    give(undefined)
    expect((await server.register()).status).toBe(201)
    expect(told(server.events)).toEqual([])
  })

  test('leaves rights and ordinary words alone, whatever they are named like', async () => {
    const { server, give } = await start()
    const honest = {
      permissions: { email: ['read', 'send.own'], phone: 'none' },
      pin: 'top-left',
      pan: -20,
      cookie: 'accepted',
    }
    give(honest)
    const { status, json } = await server.register()
    expect(status).toBe(201)
    expect(claimsOf(json.access_token)).toMatchObject(honest)
  })

  const forbidden: [string, unknown, RegExp][] = [
    ['a secret by its name', { [`${APP}/password`]: 'x' }, /password \(by its name\)/],
    ['a secret by its shape', { [`${APP}/note`]: `paid with ${CARD}` }, /note \(by its shape\)/],
    ['a resident registration number', { [`${APP}/note`]: ['900101-1234567'] }, /note \(by its shape\)/],
    ['a private key', { [`${APP}/key`]: { kty: 'EC', d: 'x' } }, /key \(by its shape\)/],
    ['an e-mail address by its name', { [`${APP}/email`]: 'hidden' }, /email \(by its name\)/],
    ['an e-mail address by its shape', { [`${APP}/contact`]: 'a@b.example' }, /contact \(by its shape\)/],
    ['a phone number', { [`${APP}/call`]: ['010-1234-5678'] }, /call \(by its shape\)/],
    ['a birth date', { [`${APP}/user`]: { birthdate: '1990-01-01' } }, /user \(by its name\)/],
    ['a secret inside', { [`${APP}/user`]: { login: { pin: '1234' } } }, /user \(by its name\)/],
    ['an address among rights', { permissions: { email: ['read', 'a@b.example'] } }, /permissions \(/],
    ['a PIN', { pin: '1234' }, /pin \(by its name\)/],
    ['a card number, masked', { pan: '411111******1111' }, /pan \(by its name\)/],
    ['a cookie', { cookie: 'sid=abc' }, /cookie \(by its name\)/],
    ['what a toJSON makes of it', { [`${APP}/note`]: { toJSON: () => CARD } }, /note \(by its shape\)/],
    ['a name of ours', { sub: 'admin' }, /may not set sub/],
    ['a promise', Promise.resolve({}), /at once/],
    ['a list', [], /object/],
    ['null', null, /object/],
    ['what JSON cannot hold', { [`${APP}/n`]: 1n }, /JSON/],
    ['what is nested too deep', { [`${APP}/n`]: JSON.parse('['.repeat(20) + ']'.repeat(20)) }, /deep/],
    ['a claim __proto__', JSON.parse('{"__proto__":{"admin":true}}'), /__proto__/],
    ['more than any token may have', { [`${APP}/n`]: 'x'.repeat(9000) }, /longer than 8192/],
  ]

  test.each(forbidden)('is refused for %s: nothing is written, no value is told', async (_, claims, why) => {
    const { server, give } = await start()
    give(claims)
    const message = expectRefused(server, await server.register())
    expect(message).toMatch(why)
    expect(message).not.toContain(CARD)
    const { accounts = [], sessions = [] } = await readTables(server.database)
    expect([...accounts, ...sessions]).toEqual([])
  })

  test('spends no generation when it is refused: the same tokens renew once it is mended', async () => {
    const { server, give } = await start()
    const email = 'someone@example.com'
    const { json } = await server.register({ email })
    const renew = (attemptId?: string) => server.refresh(json, attemptId === undefined ? {} : { attemptId })
    const cookies = (await server.login({ email, transport: 'cookie' })).cookies
    const before = await kept(server)
    server.clock.advance(2 * 86_400) // far enough that an inline renewal would move the idle end

    give({ [`${APP}/card`]: CARD })
    expectRefused(server, await server.login({ email }))
    expectRefused(server, await renew())
    const headers = { origin: 'https://auth.example.com' }
    expectRefused(server, await server.call('POST', '/auth/token', { cookies, headers }))
    const request = { method: 'GET', header: (name: string) => fields[name] }
    const fields: Record<string, string> = {
      authorization: `Bearer ${json.access_token}`,
      'mapae-refresh-token': json.refresh_token,
    }
    const inline = await server.auth.renew(request as never)
    expect(inline).toMatchObject({ type: 'refused', status: 503, code: 'claims_refused' })
    expect(told(server.events.splice(0))).toEqual([expect.objectContaining({ code: 'claims_refused' })])
    expect(await kept(server)).toEqual(before)

    give({})
    const attemptId = 'a'.repeat(22)
    const renewed = await renew(attemptId)
    expect(renewed.status).toBe(200)
    const after = await kept(server)
    give({ [`${APP}/card`]: CARD })
    expectRefused(server, await renew(attemptId))
    expectRefused(server, await renew())
    expect(await kept(server)).toEqual(after)
    give({})
    expect((await renew()).json.refresh_token).toBe(renewed.json.refresh_token)
  })

  test('lets pass what is named, or everything, when that is asked for aloud', async () => {
    const named = await start({ dangerouslyAllowSensitiveClaims: [`${APP}/pin`] })
    named.give({ [`${APP}/pin`]: '1234' })
    const { json } = await named.server.register()
    expect(claimsOf(json.access_token)).toMatchObject({ [`${APP}/pin`]: '1234' })
    named.give({ [`${APP}/pin`]: '1234', [`${APP}/otp`]: '1234' })
    expect(expectRefused(named.server, await named.server.register())).toMatch(/otp \(by its name\)\.$/)

    const personal = await start({ dangerouslyAllowSensitiveClaims: [`${APP}/email`] })
    personal.give({ [`${APP}/email`]: 'a@b.example' })
    expect((await personal.server.register()).status).toBe(201)
    personal.give({ [`${APP}/email`]: 'a@b.example', [`${APP}/user`]: { phone: '1', email: 'a@b.example' } })
    expect(expectRefused(personal.server, await personal.server.register())).toMatch(
      /: \S+user \(by its name\)\.$/,
    )

    const all = await start({ dangerouslyAllowSensitiveClaims: true })
    all.give({ [`${APP}/pin`]: '1234', [`${APP}/card`]: CARD, [`${APP}/email`]: 'a@b.example' })
    expect((await all.server.register()).status).toBe(201)
    expect(told(all.server.events)).toEqual([])
  })
})

describe.each(databases)('the size budget, on $name', (database) => {
  const start = async (options: Partial<AuthOptions>) => startFreshAuth(database, options)
  const padded = (length: number) => ({ claims: () => ({ [`${APP}/menu`]: 'x'.repeat(length) }) })

  test('tells of a large token once for each shape, and hands it out', async () => {
    const server = await start(padded(500))
    const { json } = await server.register()
    await server.register()
    const { length } = json.access_token
    expect(length).toBeGreaterThan(1024)
    expect(told(server.events)).toEqual([
      ['access_token.large', { length, warn: 1024, largest: expect.any(Array) }],
    ])
    const [event] = server.events.filter(({ type }) => type === 'access_token.large')
    const { detail } = event as unknown as { detail: { largest: { name: string }[] } }
    expect(detail.largest.map(({ name }) => name)).toEqual([
      `${APP}/menu`,
      expect.any(String),
      expect.any(String),
    ])
  })

  test('refuses a token that is too large, naming its largest claims, and writes nothing', async () => {
    const server = await start(padded(1000))
    const answer = await server.register()
    expect([answer.status, answer.json.code]).toEqual([500, 'claims_refused'])
    expect(String(told(server.events))).toMatch(
      /of 1800 at most\. Largest claims: https:\/\/app.example\/menu \(\d+\)/,
    )
    const { accounts = [], sessions = [] } = await readTables(server.database)
    expect([...accounts, ...sessions]).toEqual([])
  })

  test('counts roles and scopes too', async () => {
    const server = await start({ accessTokenBudget: { refuse: 900 } })
    await server.auth.api.createUser({
      email: 'many@example.com',
      password: 'correct horse battery',
      roles: Array.from({ length: 50 }, (_, n) => `role-${n}`),
    })
    const answer = await server.login({ email: 'many@example.com' })
    expect(answer.json.code).toBe('claims_refused')
    expect(String(told(server.events))).toMatch(/Largest claims: roles/)
  })

  test('is what the option says', async () => {
    const server = await start({ ...padded(500), accessTokenBudget: { warn: 3000, refuse: 3800 } })
    expect((await server.register()).status).toBe(201)
    expect(told(server.events)).toEqual([])
    for (const accessTokenBudget of [
      { warn: 0 },
      { refuse: -1 },
      { refuse: 3801 },
      { warn: 1.5 },
      { other: 1 },
    ]) {
      await expect(start({ accessTokenBudget } as never)).rejects.toMatchObject({ code: 'options_invalid' })
    }
    await expect(start({ dangerouslyAllowSensitiveClaims: 'yes' } as never)).rejects.toMatchObject({
      code: 'options_invalid',
    })
  })
})
