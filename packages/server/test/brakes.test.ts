import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { startMailingAuth } from './mailbox.ts'
import { query, readTables } from './read-database.ts'
import {
  type Answer,
  type CallOptions,
  PASSWORD,
  START,
  someEmail,
  startAuth,
  startFreshAuth,
  type TestAuth,
  URL_OF_AUTH,
} from './start-auth.ts'

const WRONG = 'not the password'
const ORIGIN = { origin: URL_OF_AUTH }
/** Enough for a hundred logins at once to be answered for what they are. */
const PATIENT = { passwordHashing: { waiting: 1000 } }

let networks = 0
/** An address in a network that nobody in this file has used. */
const elsewhere = () => `10.${++networks >> 8}.${networks & 255}.1`

const countOf = (answers: readonly Answer[]) => {
  const count: Record<number, number> = {}
  for (const { status } of answers) count[status] = (count[status] ?? 0) + 1
  return count
}

const guess = ({ login }: TestAuth, email: string, options: CallOptions = {}) =>
  login({ email, password: WRONG }, options)

/** So that an attack from everywhere is a short one. */
const FEW = { account: { atOnce: 4, every: 900 } }

/** So many wrong passwords for one account, each from another network. */
async function attack(
  server: TestAuth,
  email: string,
  times = FEW.account.atOnce + 1,
): Promise<readonly Answer[]> {
  const answers = []
  for (let time = 0; time < times; time++) answers.push(await guess(server, email, { address: elsewhere() }))
  return answers
}

describe.each(databases)('guesses at a password, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database)
    await server.auth.ready()
  })
  const somebody = async (on: TestAuth = server) => {
    const email = someEmail()
    const { json } = await on.register({ email })
    return { email, ...json }
  }

  test.each([
    { from: 'one network', addressOf: () => '192.0.2.7', limit: 10 },
    { from: 'as many networks', addressOf: elsewhere, limit: 20 },
    { from: 'nobody knows where', addressOf: () => undefined, limit: 20 },
  ])('a hundred at once on two replicas, from $from, get $limit tries', async ({ addressOf, limit }) => {
    const one = await startFreshAuth(database, PATIENT)
    const email = someEmail()
    await one.register({ email })
    const other = await startAuth(one.database, { clock: one.clock.now, ...PATIENT })
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => {
        const address = addressOf()
        return guess(index % 2 ? other : one, email, address === undefined ? {} : { address })
      }),
    )
    const { 401: compared = 0, 429: refused = 0, 503: busy = 0 } = countOf(answers)
    expect(compared + refused + busy).toBe(100)
    expect(compared).toBeLessThanOrEqual(limit)
    // On a machine that has too much to do a database connection may be waited for in vain.
    if (busy === 0) expect(compared).toBe(limit)
    const causes = one.events.flatMap((event) =>
      event.type === 'error' ? [String(Object(event.error).cause)] : [],
    )
    expect(causes.join()).not.toMatch(/deadlock/)
  })

  test('are told how long to wait, which is ever longer, and never longer than 15 minutes', async () => {
    const email = someEmail()
    const own = await startFreshAuth(database)
    const waits: number[] = []
    for (let time = 0; time < 10; time++) expect((await guess(own, email, HERE)).status).toBe(401)
    for (let round = 0; round < 13; round++) {
      const refused = await guess(own, email, HERE)
      expect([refused.status, refused.json.code]).toEqual([429, 'too_many_tries'])
      expect(refused.headers.get('content-type')).toBe('application/problem+json')
      const wait = Number(refused.headers.get('retry-after'))
      expect(refused.json).toMatchObject({ status: 429, retry_after: wait })
      waits.push(wait)
      own.clock.advance(wait - 0.001)
      expect((await guess(own, email, HERE)).status, 'not a moment earlier').toBe(429)
      own.clock.advance(0.001)
      expect((await guess(own, email, HERE)).status, `after ${wait} s`).toBe(401)
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 900, 900])
    own.clock.advance(20 * 900)
    expect((await guess(own, email, HERE)).status).toBe(401)
    expect((await guess(own, email, HERE)).status, 'all is forgiven in time').toBe(401)
  })

  test('hold nobody up for longer than that where the clock has gone back', async () => {
    const own = await startFreshAuth(database)
    const email = someEmail()
    for (let time = 0; time < 11; time++) await guess(own, email, HERE)
    own.clock.advance(-365 * 86_400)
    expect((await guess(own, email, HERE)).status, 'the wait was of another time').toBe(401)
    own.clock.advance(900)
    expect((await guess(own, email, HERE)).status).toBe(401)
  })

  test('that were counted by a clock that has gone back are forgotten, and not waited for until it is there again', async () => {
    const own = await startFreshAuth(database)
    const email = someEmail()
    own.clock.advance(86_400)
    await guess(own, email, HERE)
    own.clock.advance(-86_400)
    const answers = []
    for (let time = 0; time < 12; time++) answers.push(await guess(own, email, HERE))
    expect(countOf(answers)).toEqual({ 401: 10, 429: 2 })
  })

  test('are counted together by servers whose clocks differ', async () => {
    const ahead = await startAuth(server.database, { clock: () => server.clock.now() + 25_000 })
    const email = someEmail()
    await server.register({ email })
    const answers = []
    for (let time = 0; time < 8; time++) {
      const one = time % 2 ? server : ahead
      expect((await one.login({ email }, HERE)).status, `login ${time}`).toBe(200)
      answers.push(await guess(one, email, HERE))
    }
    expect(countOf(answers), 'nobody waits for the difference').toEqual({ 401: 8 })
    for (let time = 0; time < 3; time++) answers.push(await guess(server, email, HERE))
    expect(answers.at(-1)?.status).toBe(429)
  })

  test('are not counted where the password is right, however often', async () => {
    const { email } = await somebody()
    for (let time = 0; time < 12; time++)
      expect((await server.login({ email }, HERE)).status, `login ${time}`).toBe(200)
    const answers = []
    for (let time = 0; time < 12; time++) answers.push(await guess(server, email, HERE))
    expect(countOf(answers)).toEqual({ 401: 10, 429: 2 })
  })

  test('that were too many keep the right password out as well, or the wrong ones would be told apart', async () => {
    const { email } = await somebody()
    for (let time = 0; time < 10; time++) await guess(server, email, HERE)
    expect((await server.login({ email }, HERE)).status).toBe(429)
  })

  test('count for an account whatever way its identifier is written', async () => {
    const { email } = await somebody()
    for (let time = 0; time < 10; time++) await guess(server, email, HERE)
    const written = [{ email: email.toUpperCase() }, { identifier: email }, { username: email }]
    for (const body of written)
      expect((await server.login({ ...body, password: WRONG }, HERE)).status).toBe(429)
  })

  test('get the same answers for an account that is not there', async () => {
    const own = await startFreshAuth(database, { brakes: FEW })
    const email = someEmail()
    await own.register({ email })
    const strip = ({ status, json, headers }: Answer) => [status, json, headers.get('retry-after')]
    const known = (await attack(own, email)).map(strip)
    const unknown = (await attack(own, someEmail())).map(strip)
    expect(unknown).toEqual(known)
    expect(known.at(-1)?.[0]).toBe(429)
  })

  test('leave neither who nor where in the clear', async () => {
    const own = await startFreshAuth(database)
    const email = someEmail()
    await guess(own, email, { address: '203.0.113.77' })
    const { brakes = [] } = await readTables(own.database)
    expect(brakes).toHaveLength(4)
    const hash = expect.stringMatching(/^[\w-]{43}$/)
    for (const { key, subject, ...counts } of brakes) {
      expect([key, subject]).toEqual([hash, hash])
      for (const count of Object.values(counts)) expect(Number(count)).toBeGreaterThanOrEqual(0)
    }
  })

  test('are swept when they are forgiven', async () => {
    const own = await startFreshAuth(database)
    await guess(own, someEmail(), HERE)
    own.clock.advance(899)
    expect(await own.auth.api.sweep(), 'those of the address and its network').toMatchObject({ brakes: 2 })
    own.clock.advance(1)
    expect(await own.auth.api.sweep()).toMatchObject({ brakes: 2 })
    expect((await readTables(own.database))['brakes']).toEqual([])
  })

  test('that are refused write nothing down', async () => {
    const own = await startFreshAuth(database)
    const email = someEmail()
    for (let time = 0; time < 10; time++) await guess(own, email, HERE)
    const before = await readTables(own.database)
    own.clock.advance(0.1)
    for (let time = 0; time < 10; time++) await guess(own, email, HERE)
    expect(await readTables(own.database)).toEqual(before)
    expect(own.events.filter(({ type }) => type === 'try.refused')).toEqual(
      Array(10).fill({
        type: 'try.refused',
        at: START + 100,
        detail: { brake: 'accountFromNetwork' },
      }),
    )
  })

  test('are read by pages of allowed origins: Retry-After is exposed', async () => {
    const own = await startFreshAuth(database, { allowedOrigins: ['https://app.example.com'] })
    const options = { ...HERE, headers: { origin: 'https://app.example.com' } }
    const email = someEmail()
    for (let time = 0; time < 10; time++) await guess(own, email, options)
    const refused = await guess(own, email, options)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('access-control-expose-headers')).toContain('Retry-After')
  })

  test('have no end where dangerouslyDisableBrakes says so, and other limits where brakes does', async () => {
    const off = await startFreshAuth(database, { dangerouslyDisableBrakes: true })
    expect(countOf(await attack(off, someEmail(), 21))).toEqual({ 401: 21 })
    const strict = await startFreshAuth(database, { brakes: { account: { atOnce: 1, every: 10 } } })
    expect(countOf(await attack(strict, someEmail(), 3))).toEqual({ 401: 1, 429: 2 })
  })

  describe('during an attack on an account from everywhere', () => {
    let server: TestAuth
    beforeAll(async () => {
      server = await startFreshAuth(database, { brakes: FEW })
    })

    test('a browser that logged in before does so again, and others have to wait', async () => {
      const email = someEmail()
      const { cookies } = await server.register({ email }, { headers: ORIGIN, address: elsewhere() })
      expect((await attack(server, email)).at(-1)?.status).toBe(429)
      const device = { [DEVICE]: cookies[DEVICE] ?? '' }
      const away = { headers: ORIGIN, address: elsewhere() }
      expect((await server.login({ email }, away)).status).toBe(429)
      const again = await server.login({ email }, { ...away, cookies: device })
      expect(again.status).toBe(200)
      expect((await attack(server, email, 3)).at(-1)?.status, 'and nothing is gained by it').toBe(429)
    })

    test('so does an app that kept its device token', async () => {
      const { email, device_token } = await somebody(server)
      await attack(server, email)
      expect((await server.login({ email }, HERE)).status).toBe(429)
      expect((await server.login({ email, device_token }, HERE)).status).toBe(200)
    })

    test('and an attack from the same address does not keep them out either', async () => {
      const own = await startFreshAuth(database, { brakes: { loginsFromAddress: { atOnce: 2, every: 900 } } })
      const email = someEmail()
      const { json } = await own.register({ email }, HERE)
      for (let time = 0; time < 3; time++) await guess(own, someEmail(), HERE)
      expect((await own.login({ email }, HERE)).status).toBe(429)
      expect((await own.login({ email, device_token: json.device_token }, HERE)).status).toBe(200)
    })

    test('whoever has lost the device resets the password, and is let in', async () => {
      const own = await startMailingAuth(database, { brakes: FEW })
      const { email } = await own.person()
      await attack(own, email)
      await own.call('POST', '/auth/password/forgot', { body: { email } })
      const code = await own.codeTo(email, '/reset-password')
      const chosen = { code, password: 'another horse battery' }
      const done = await own.call('POST', '/auth/password/reset', { body: chosen, headers: ORIGIN })
      expect([done.status, Object.keys(done.cookies)]).toEqual([204, [DEVICE]])
      expect(await own.login({ email, password: chosen.password }), 'the tries are forgotten').toMatchObject({
        status: 200,
      })
      await attack(own, email)
      expect((await own.login({ email, password: chosen.password })).status).toBe(429)
      const known = { headers: ORIGIN, cookies: done.cookies }
      expect((await own.login({ email, password: chosen.password }, known)).status).toBe(200)
    })

    test('an app that resets the password is known too, by the token in the answer', async () => {
      const own = await startMailingAuth(database, { brakes: FEW })
      const { email } = await own.person()
      const password = 'another horse battery'
      const reset = async (options: CallOptions, transport?: string) => {
        await own.call('POST', '/auth/password/forgot', { body: { email } })
        const code = await own.codeTo(email, '/reset-password')
        return own.call('POST', '/auth/password/reset', { body: { code, password, transport }, ...options })
      }
      for (const ask of [() => reset({}), () => reset({ headers: ORIGIN }, 'header')]) {
        const done = await ask()
        expect([done.status, done.setCookies]).toEqual([200, []])
        expect(done.headers.get('cache-control')).toBe('no-store')
        await attack(own, email)
        expect((await own.login({ email, password })).status).toBe(429)
        const { device_token } = done.json
        expect((await own.login({ email, password, device_token })).status).toBe(200)
      }
      const browser = await reset({}, 'cookie')
      expect([browser.status, browser.text, Object.keys(browser.cookies)]).toEqual([204, '', [DEVICE]])
    })

    test('an administrator lets them in', async () => {
      const { email, user } = await somebody(server)
      await attack(server, email)
      expect((await server.login({ email })).status).toBe(429)
      expect(await server.auth.api.unlockUser(user.id)).toBe(true)
      expect((await server.login({ email })).status).toBe(200)
      const nobody = await somebody(server)
      expect(await server.auth.api.unlockUser(nobody.user.id), 'nothing was counted').toBe(false)
    })
  })

  describe('with a device token', () => {
    const deviceGuesses = async (on: TestAuth, email: string, device_token: string) => {
      const answers = []
      for (let time = 0; time < 12; time++)
        answers.push(await on.login({ email, device_token, password: WRONG }, { address: elsewhere() }))
      return countOf(answers)
    }

    test('have their own end', async () => {
      const { email, device_token } = await somebody()
      expect(await deviceGuesses(server, email, device_token)).toEqual({ 401: 10, 429: 2 })
      expect((await server.login({ email }, HERE)).status, 'and keep nobody else out').toBe(200)
    })

    test('of another account, forged, or too old, are those of anybody', async () => {
      const own = await startFreshAuth(database, { brakes: FEW })
      const email = someEmail()
      const mine = (await own.register()).json.device_token
      const theirs = (await own.register({ email })).json.device_token
      await attack(own, email)
      const [head = '', payload = '', mac = ''] = theirs.split('.')
      const other = Buffer.from(payload, 'base64url')
        .toString()
        .replace(/\d+\]$/, '9999999999]')
      const forged = [head, Buffer.from(other).toString('base64url'), mac].join('.')
      for (const device_token of [mine, forged, `${theirs}A`, 'mdt_', ''])
        expect((await own.login({ email, device_token })).status, device_token).toBe(429)
      expect((await own.login({ email, device_token: theirs })).status).toBe(200)
      own.clock.advance(180 * 86_400)
      await attack(own, email)
      expect((await own.login({ email, device_token: theirs })).status, 'too old').toBe(429)
    })

    test('of an older password are those of anybody', async () => {
      const own = await startFreshAuth(database, { brakes: FEW })
      const { email, device_token, access_token: token } = await somebody(own)
      const body = { current_password: PASSWORD, new_password: 'another horse battery' }
      const changed = await own.call('POST', '/auth/password', { token, body })
      await attack(own, email)
      const logIn = (device: string) =>
        own.login({ email, password: body.new_password, device_token: device }, HERE)
      expect((await logIn(device_token)).status).toBe(429)
      expect((await logIn(changed.json.device_token)).status).toBe(200)
    })
  })

  describe('from one address', () => {
    const limits = { loginsFromAddress: { atOnce: 3, every: 30 } }
    const spray = async (on: TestAuth, options: readonly CallOptions[]) => {
      const statuses = []
      for (const each of options) statuses.push((await guess(on, someEmail(), each)).status)
      return statuses
    }

    test('at one account after the other have an end, and right ones do not count', async () => {
      const own = await startFreshAuth(database, { brakes: limits })
      const email = someEmail()
      await own.register({ email }, HERE)
      for (let time = 0; time < 5; time++) expect((await own.login({ email }, HERE)).status).toBe(200)
      expect(await spray(own, [HERE, HERE, HERE, HERE])).toEqual([401, 401, 401, 429])
      expect((await own.login({ email }, { address: elsewhere() })).status).toBe(200)
    })

    test('are those of its connection, whatever X-Forwarded-For says, without a trusted proxy', async () => {
      const own = await startFreshAuth(database, { brakes: limits })
      const forged = Array.from({ length: 4 }, () => ({
        ...HERE,
        headers: { 'x-forwarded-for': elsewhere() },
      }))
      expect(await spray(own, forged)).toEqual([401, 401, 401, 429])
    })

    test('are those of the hop that the trusted proxy wrote', async () => {
      const own = await startFreshAuth(database, { brakes: limits, trustProxy: 1 })
      const through = (...hops: string[]) => ({
        address: '127.0.0.1',
        headers: { 'x-forwarded-for': hops.join(', ') },
      })
      const forged = Array.from({ length: 4 }, () => through(elsewhere(), '198.51.100.9'))
      expect(await spray(own, forged)).toEqual([401, 401, 401, 429])
      expect(await spray(own, [through('198.51.100.9:4711')]), 'with a port').toEqual([429])
      expect(await spray(own, [through(elsewhere(), elsewhere())]), 'somebody else').toEqual([401])
    })

    test('of IPv6 are those of its /64, however it is written', async () => {
      const own = await startFreshAuth(database, { brakes: limits })
      const same = ['2001:db8:1:2::1', '2001:0db8:0001:0002:ffff::', '2001:db8:1:2:3:4:192.0.2.1']
      expect(
        await spray(
          own,
          [...same, '2001:DB8:1:2:a::b'].map((address) => ({ address })),
        ),
      ).toEqual([401, 401, 401, 429])
      expect(await spray(own, [{ address: '2001:db8:1:3::1' }])).toEqual([401])
      const mapped = ['192.0.2.200', '::ffff:192.0.2.200', '::ffff:c000:2c8', '0:0:0:0:0:ffff:c000:2c8']
      expect(
        await spray(
          own,
          mapped.map((address) => ({ address })),
        ),
      ).toEqual([401, 401, 401, 429])
    })

    test('after the other in a network have ten times as many', async () => {
      const own = await startFreshAuth(database, { brakes: { loginsFromAddress: { atOnce: 1, every: 900 } } })
      const line = (n: number) => ({ address: `2001:db8:5:${n.toString(16)}::1` })
      const answered = await spray(
        own,
        Array.from({ length: 12 }, (_, n) => line(n)),
      )
      expect(answered).toEqual([...Array(10).fill(401), 429, 429])
    })
  })

  describe('at many accounts', () => {
    test('are seen, once, and written down', async () => {
      const own = await startFreshAuth(database)
      for (let time = 0; time < 52; time++) await guess(own, someEmail(), { address: elsewhere() })
      const seen = own.events.filter(({ type }) => type === 'login.spraying_seen')
      expect(seen).toEqual([
        {
          type: 'login.spraying_seen',
          at: START,
          accountId: null,
          detail: { identifiers: 50, networks: 50, seconds: 600 },
        },
      ])
      const { audit = [] } = await readTables(own.database)
      expect(audit.filter(({ type }) => type === 'login.spraying_seen')).toHaveLength(1)
    })

    test('fill sixty lines of the audit log a minute, and the next one tells how many there were more', async () => {
      const own = await startFreshAuth(database)
      const email = someEmail()
      await own.register({ email })
      for (let time = 0; time < 70; time++) await guess(own, someEmail(), { address: elsewhere() })
      await guess(own, email)
      own.clock.advance(60)
      await guess(own, someEmail())
      const { audit = [] } = await readTables(own.database)
      const failed = audit.filter(({ type }) => type === 'login.failed')
      const unknown = failed.filter(({ account_id }) => account_id === null)
      expect(unknown).toHaveLength(61)
      expect(JSON.parse(String(unknown.at(-1)?.['detail']))).toEqual({ unwritten: 10 })
      expect(failed.length - unknown.length, 'an account that there is has lines of its own').toBe(1)
      expect(own.events.filter(({ type }) => type === 'login.failed')).toHaveLength(72)
    })
  })

  test('again, in one session, keep another session out of nothing', async () => {
    const thief = await somebody()
    const owner = await server.login({ email: thief.email })
    const remove = (token: string, password: string) =>
      server.call('DELETE', '/auth/me', { token, body: { password } })
    const change = (token: string, password: string) => {
      const body = { current_password: password, new_password: 'another horse battery' }
      return server.call('POST', '/auth/password', { token, body })
    }
    const guesses = []
    for (let time = 0; time < 3; time++) {
      guesses.push(await remove(thief.access_token, WRONG))
      guesses.push(await change(thief.access_token, WRONG))
    }
    expect(countOf(guesses)).toEqual({ 403: 5, 429: 1 })
    expect((await change(thief.access_token, PASSWORD)).status).toBe(429)
    expect((await change(owner.json.access_token, PASSWORD)).status).toBe(200)
  })
})

describe.each(databases)('sessions opened with the right password, on $name', (database) => {
  const LIMIT = { sessionsOfAccount: { atOnce: 3, every: 60 } }
  const somebody = async (on: TestAuth) => {
    const email = someEmail()
    return { email, ...(await on.register({ email })).json }
  }
  const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status)
  const logIns = async (on: TestAuth, body: Readonly<Record<string, unknown>>, times: number) => {
    const answers = []
    for (let time = 0; time < times; time++) answers.push(await on.login(body, { address: elsewhere() }))
    return answers
  }

  test('have an end too, and whoever is over it opens none', async () => {
    const own = await startFreshAuth(database, { brakes: LIMIT })
    const { email } = await somebody(own)
    expect(statuses(await logIns(own, { email }, 3))).toEqual([200, 200, 200])
    const { sessions } = await readTables(own.database)
    const [refused] = await logIns(own, { email }, 1)
    expect([refused?.status, refused?.json.code]).toEqual([429, 'too_many_tries'])
    expect([refused?.headers.get('retry-after'), refused?.setCookies]).toEqual(['1', []])
    expect((await readTables(own.database))['sessions']).toEqual(sessions)
    const told = own.events.filter(({ type }) => type === 'try.refused')
    expect(told).toMatchObject([{ detail: { brake: 'sessionsOfAccount' } }])
    own.clock.advance(1)
    expect(statuses(await logIns(own, { email }, 2))).toEqual([200, 429])
    own.clock.advance(4 * 60)
    expect(statuses(await logIns(own, { email }, 3)), 'all is forgiven in time').toEqual([200, 200, 200])
  })

  test('are a hundred at once for an account, by default, however many log in at the same moment', async () => {
    const options = { ...PATIENT, brakes: { account: { atOnce: 1000, every: 900 } } }
    const one = await startFreshAuth(database, options)
    const { email } = await somebody(one)
    const other = await startAuth(one.database, { clock: one.clock.now, ...options })
    const some = Array.from({ length: 106 }, (_, n) =>
      (n % 2 ? other : one).login({ email }, { address: elsewhere() }),
    )
    const { 200: opened = 0, 429: refused = 0, 503: busy = 0 } = countOf(await Promise.all(some))
    expect(opened + refused + busy).toBe(106)
    expect(opened).toBeLessThanOrEqual(100)
    // On a machine that has too much to do a database connection may be waited for in vain.
    if (busy === 0) expect(opened).toBe(100)
  }, 60_000)

  test('are used up by nobody who does not know the password, and kept from nobody by who has another account', async () => {
    const own = await startFreshAuth(database, {
      brakes: { ...LIMIT, account: { atOnce: 100, every: 900 } },
    })
    const { email } = await somebody(own)
    const { email: other } = await somebody(own)
    await attack(own, email, 8)
    expect(countOf(await logIns(own, { email: other }, 5))).toEqual({ 200: 3, 429: 2 })
    expect(statuses(await logIns(own, { email }, 3))).toEqual([200, 200, 200])
    expect((await guess(own, email)).status, 'a wrong one is no wait').toBe(401)
  })

  test('count a change of the password, and are forgotten with a reset or by an administrator', async () => {
    const own = await startMailingAuth(database, { brakes: LIMIT })
    const { email, user, ...person } = await own.person()
    const body = { current_password: PASSWORD, new_password: PASSWORD }
    let { access_token: token } = person
    for (let time = 0; time < 3; time++) {
      const changed = await own.call('POST', '/auth/password', { token, body })
      expect(changed.status).toBe(200)
      token = changed.json.access_token
    }
    expect(await own.mailsTo(email)).toHaveLength(3)
    const { audit, sessions } = await readTables(own.database)
    const fourth = await own.call('POST', '/auth/password', { token, body })
    expect([fourth.status, fourth.json.code]).toEqual([429, 'too_many_tries'])
    expect(await readTables(own.database)).toMatchObject({ audit, sessions })
    expect(await own.mailsTo(email)).toEqual([])
    expect(statuses(await logIns(own, { email }, 1))).toEqual([429])
    expect(await own.auth.api.unlockUser(user.id)).toBe(true)
    expect(statuses(await logIns(own, { email }, 4))).toEqual([200, 200, 200, 429])
    await own.call('POST', '/auth/password/forgot', { body: { email } })
    const code = await own.codeTo(email, '/reset-password')
    await own.call('POST', '/auth/password/reset', { body: { code, password: PASSWORD } })
    expect(statuses(await logIns(own, { email }, 1))).toEqual([200])
  })

  test('of any accounts from one address have an end, which no known device waits for', async () => {
    const own = await startFreshAuth(database, { brakes: { sessionsFromAddress: { atOnce: 2, every: 60 } } })
    const people = [await somebody(own), await somebody(own), await somebody(own)]
    const answers = []
    for (const { email } of people) answers.push(await own.login({ email }, HERE))
    expect(statuses(answers)).toEqual([200, 200, 429])
    const [, , third] = people
    const { email, device_token } = third ?? {}
    // Who guesses from there is told nothing that the owner is not told as well.
    expect(own.events).toContainEqual(
      expect.objectContaining({ type: 'login.failed', detail: { reason: 'too_many_tries' } }),
    )
    expect((await own.login({ email }, { address: elsewhere() })).status, 'somewhere else').toBe(200)
    for (let time = 0; time < 3; time++)
      expect((await own.login({ email, device_token }, HERE)).status).toBe(200)
  })
})

describe.each(databases)('codes, mails and registrations, on $name', (database) => {
  const forgot = ({ call }: Pick<TestAuth, 'call'>, email: string, options: CallOptions = {}) =>
    call('POST', '/auth/password/forgot', { body: { email }, ...options })

  test('a wrong code is a try of its address, at every endpoint that takes one', async () => {
    const own = await startMailingAuth(database, { brakes: { codesFromAddress: { atOnce: 3, every: 60 } } })
    const { email } = await own.person()
    await forgot(own, email)
    const code = await own.codeTo(email, '/reset-password')
    const send = (path: string, body: object) => own.call('POST', path, { body, ...HERE })
    const statuses = [
      await send('/auth/password/reset', { code: 'wrong', password: PASSWORD }),
      await send('/auth/email/verify', { code: 'wrong', password: PASSWORD }),
      await send('/auth/register/complete', { code: 'wrong', password: PASSWORD }),
      await send('/auth/password/reset', { code, password: PASSWORD }),
    ].map(({ status }) => status)
    expect(statuses).toEqual([400, 400, 400, 429])
    own.clock.advance(1)
    expect((await send('/auth/password/reset', { code, password: PASSWORD })).status).toBe(200)
  })

  test('a password that comes with a mailed code cannot be guessed by that', async () => {
    const own = await startMailingAuth(database)
    const { verification: code, access_token: token } = await own.person()
    const prove = (password: string) =>
      own.call('POST', '/auth/email/verify', { body: { code, password }, address: elsewhere() })
    const guesses = []
    for (let time = 0; time < 7; time++) guesses.push(await prove(WRONG))
    expect(countOf(guesses)).toEqual({ 403: 5, 429: 2 })
    const bySession = await own.call('POST', '/auth/email/verify', { token, body: { code } })
    expect(bySession.status).toBe(204)
  })

  test('a mailbox gets five mails at once, whoever asks, and whether it is known or not', async () => {
    const own = await startMailingAuth(database)
    const { email } = await own.person()
    const ask = async (address: string, count: number) => {
      const answers = []
      for (let time = 0; time < count; time++)
        answers.push(await forgot(own, address, { address: elsewhere() }))
      return countOf(answers)
    }
    expect(await ask(email, 7)).toEqual({ 202: 5, 429: 2 })
    expect(await own.mailsTo(email)).toHaveLength(5)
    expect(await ask(someEmail(), 7)).toEqual({ 202: 5, 429: 2 })
    own.clock.advance(900)
    expect(await ask(email, 2)).toEqual({ 202: 1, 429: 1 })
  })

  test('who is logged in cannot fill a mailbox either, nor that of somebody else', async () => {
    const own = await startMailingAuth(database)
    const { access_token: token } = await own.person()
    const resent = []
    for (let time = 0; time < 6; time++)
      resent.push(await own.call('POST', '/auth/email/verify/resend', { token }))
    expect(countOf(resent)).toEqual({ 202: 4, 429: 2 })

    const { access_token: another } = await own.person()
    const victim = someEmail()
    const changes = []
    for (let time = 0; time < 6; time++) {
      const body = { email: victim, password: PASSWORD }
      changes.push(await own.call('POST', '/auth/email/change', { token: another, body }))
    }
    expect(countOf(changes), 'the old address is told each time, and had a mail').toEqual({ 202: 4, 429: 2 })
    expect(await own.mailsTo(victim)).toHaveLength(4)
  })

  test('nobody keeps the mail away that resets a password, by registering with its address or changing to it', async () => {
    const own = await startMailingAuth(database)
    const { email } = await own.person()
    const { access_token: token } = await own.person()
    const strangers = []
    for (let time = 0; time < 6; time++) {
      strangers.push(await own.register({ email }, { address: elsewhere() }))
      const body = { email, password: PASSWORD }
      strangers.push(await own.call('POST', '/auth/email/change', { token, body, address: elsewhere() }))
    }
    expect(strangers.at(-1)?.status).toBe(429)
    await own.mailsTo(email)
    expect((await forgot(own, email, { address: elsewhere() })).status).toBe(202)
    const code = await own.codeTo(email, '/reset-password')
    const reset = await own.call('POST', '/auth/password/reset', { body: { code, password: PASSWORD } })
    expect(reset.status).toBe(200)
  })

  test('an address may ask for so many mails, whoever gets them', async () => {
    const own = await startMailingAuth(database, { brakes: { mailsFromAddress: { atOnce: 3, every: 60 } } })
    const answers = []
    for (let time = 0; time < 5; time++) answers.push(await forgot(own, someEmail(), HERE))
    expect(countOf(answers)).toEqual({ 202: 3, 429: 2 })
    expect((await forgot(own, someEmail(), { address: elsewhere() })).status).toBe(202)
  })

  test.each(['open', 'verify-first'] as const)(
    'so many may register from an address (%s)',
    async (registration) => {
      const brakes = { registrationsFromAddress: { atOnce: 3, every: 60 } }
      const own = await startMailingAuth(database, { brakes, registration })
      const answers = []
      for (let time = 0; time < 5; time++) answers.push(await own.register({}, HERE))
      expect(countOf(answers)).toEqual({ [registration === 'open' ? 201 : 202]: 3, 429: 2 })
      const taken = await startFreshAuth(database, { brakes })
      const email = someEmail()
      const tries = []
      for (let time = 0; time < 4; time++) tries.push(await taken.register({ email }, HERE))
      expect(countOf(tries), 'who is there already is not found out without end').toEqual({
        201: 1,
        409: 2,
        429: 1,
      })
    },
  )

  test.each([
    { language: 'ko', words: ['너무 여러 번 시도해서', '15분 뒤에 다시'] },
    { language: 'en', words: ['tried too often', 'Try again in 15 minutes.'] },
  ])('the pages say so: $language', async ({ language, words }) => {
    const own = await startMailingAuth(database, { brakes: { mailsToMailbox: { atOnce: 1, every: 900 } } })
    const email = someEmail()
    const ask = () =>
      own.call('POST', '/forgot-password', {
        raw: new URLSearchParams({ email }).toString(),
        headers: {
          ...ORIGIN,
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'text/html',
          'accept-language': language,
        },
      })
    expect((await ask()).status).toBe(200)
    let refused = await ask()
    while (refused.headers.get('retry-after') !== '900') {
      own.clock.advance(Number(refused.headers.get('retry-after')))
      expect((await ask()).status).toBe(200)
      refused = await ask()
    }
    expect(refused.status).toBe(429)
    expect(refused.headers.get('content-type')).toContain('text/html')
    for (const word of words) expect(refused.text).toContain(word)
  })
})

describe.each(databases)('a brake, on $name', (database) => {
  const limits = [
    { atOnce: 1, every: 1 },
    { atOnce: 3, every: 40 },
    { atOnce: 4, every: 900 },
  ]

  test.each(limits)(
    'of $atOnce at once and one in $every s lets no more through in any time, and does what its rule says',
    async (limit) => {
      const one = await startFreshAuth(database, { brakes: { codesFromAddress: limit } })
      const other = await startAuth(one.database, {
        brakes: { codesFromAddress: limit },
        clock: one.clock.now,
      })
      const step = fc.oneof(
        fc.record({ tries: fc.integer({ min: 1, max: 5 }) }),
        fc.record({ seconds: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 1000 })) }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
          const address = elsewhere()
          const rule = startRule(limit)
          const at: number[] = []
          for (const each of steps) {
            if ('seconds' in each) {
              one.clock.advance(each.seconds)
              continue
            }
            const answers = await Promise.all(
              Array.from({ length: each.tries }, (_, index) =>
                (index % 2 ? other : one).call('POST', '/auth/password/reset', {
                  body: { code: 'wrong', password: PASSWORD },
                  address,
                }),
              ),
            )
            const { 400: looked = 0, 429: refused = 0 } = countOf(answers)
            expect(looked + refused).toBe(each.tries)
            const now = one.clock.now()
            expect(looked).toBe(Array.from({ length: each.tries }, () => rule(now)).filter(Boolean).length)
            at.push(...Array<number>(looked).fill(now))
          }
          expectWithin(limit, at)
        }),
        { numRuns: 25 },
      )
    },
  )

  test('has an index for each thing that removes it', async () => {
    const own = await startFreshAuth(database)
    await own.auth.ready()
    const indexes = await query(
      own.database,
      database.name === 'sqlite'
        ? "select name from sqlite_master where type = 'index' and tbl_name = 'brakes' order by name"
        : "select indexname as name from pg_indexes where tablename = 'brakes' order by name",
    )
    expect(indexes.map(({ name }) => String(name))).toEqual(
      expect.arrayContaining(['brakes_drained', 'brakes_subject']),
    )
  })
})

const HERE = { address: '203.0.113.5' } as const
const DEVICE = '__Host-mapae_device'

interface Limit {
  readonly atOnce: number
  readonly every: number
}

/** The rule in words of its own: whether a try at a moment (milliseconds) is let through. */
function startRule({ atOnce, every }: Limit): (now: number) => boolean {
  let count = 0
  let last = 0
  let wait = 0
  return (now) => {
    if (now < last + wait) return false
    count = Math.max(0, count - (now - last) / (every * 1000)) + 1
    const tooMany = Math.ceil(count - 1e-9) - atOnce
    wait = tooMany < 0 ? 0 : Math.min(every, 2 ** tooMany) * 1000
    last = now
    return true
  }
}

/** Of the moments that tries were let through at, no two have more between them than the limit allows. */
function expectWithin({ atOnce, every }: Limit, at: readonly number[]): void {
  const whileWaitsGrow = Math.ceil(Math.log2(every)) + 1
  for (const [from, start] of at.entries())
    for (const [to, end] of at.entries()) {
      if (to < from) continue
      const seconds = (end - start) / 1000
      const most = seconds === 0 ? atOnce : atOnce + whileWaitsGrow + Math.floor(seconds / every)
      expect(to - from + 1, `tries in ${seconds} s`).toBeLessThanOrEqual(most)
    }
}
