import { beforeAll, describe, expect, test, vi } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { type MailingAuth, startMailingAuth } from './mailbox.ts'
import { query } from './read-database.ts'
import { type Answer, type CallOptions, PASSWORD, someEmail, URL_OF_AUTH } from './start-auth.ts'

// Writes down what the real driver is asked to do, and lets it do that.
const asked = vi.hoisted(() => ({ statements: [] as string[] }))
vi.mock(import('../src/store/checked-driver.ts'), async (original) => {
  const real = await original()
  return {
    ...real,
    checkedDriver(inner) {
      const driver = real.checkedDriver(inner)
      return {
        ...driver,
        async acquireConnection() {
          const connection = await driver.acquireConnection()
          const { executeQuery } = connection
          return Object.assign(connection, {
            executeQuery(query: Parameters<typeof executeQuery>[0]) {
              asked.statements.push(query.sql)
              return executeQuery(query)
            },
          })
        },
        beginTransaction(...args) {
          asked.statements.push('begin')
          return driver.beginTransaction(...args)
        },
      }
    },
  }
})

/** A failure that the audit log has no line for is counted in its place. */
const lineOrCount = (statement: string) =>
  statement.replace(/^insert into "(?:audit|settings)" .*$/s, 'a failure')
/** The postman goes at once; who is written to, and whether anybody is, he finds out after the answer. */
const isPostmans = (statement: string) => /^update "mails"/.test(statement)

const WRONG = 'not the password'
let networks = 0
const elsewhere = () => `10.${++networks >> 8}.${networks & 255}.1`

describe.each(databases)('what is done before the answer, on $name,', (database) => {
  let server: MailingAuth
  beforeAll(async () => {
    server = await startMailingAuth(database, { registration: 'verify-first' })
    await server.auth.ready()
  })

  /** The statements up to the answer, and the answer without its clock. */
  const workOf = async (request: () => Promise<Answer>) => {
    await server.auth.api.sendMails()
    asked.statements.length = 0
    const { status, text, setCookies } = await request()
    const statements = asked.statements.filter((one) => !isPostmans(one)).map(lineOrCount)
    return { status, text, setCookies, statements }
  }
  const send = (path: string, body: Readonly<Record<string, unknown>>, options: CallOptions = {}) =>
    server.call('POST', path, { address: elsewhere(), body, ...options })
  const member = async (email = someEmail(), username?: string) => {
    await send('/auth/register', { email })
    const code = await server.codeTo(email, '/finish-registration')
    const { status, json } = await send('/auth/register/complete', { code, username, password: PASSWORD })
    expect(status).toBe(201)
    return { email, ...json }
  }
  const logIn = (identifier: string) => send('/auth/login', { identifier, password: WRONG })

  test('a login with a wrong password is the same for a known and an unknown e-mail address', async () => {
    const { email } = await member()
    const unknown = await workOf(() => logIn(someEmail()))
    expect(unknown.statements.filter((one) => one === 'a failure')).toHaveLength(1)
    expect(await workOf(() => logIn(email))).toEqual(unknown)
  })

  test('so it is for usernames, and for names of which there are two keys', async () => {
    const strasse = `straße-${database.name}`
    await member(`김@예시.한국`, strasse)
    for (const [known, other] of [
      [strasse, `gasse-ß-${database.name}`],
      ['김@예시.한국', '이@예시.한국'],
    ] as const)
      expect(await workOf(() => logIn(known)), known).toEqual(await workOf(() => logIn(other)))
  })

  test('so it is for an account that has kept its former key', async () => {
    const name = `weiß-${database.name}`
    await member(someEmail(), name)
    await query(server.database, `update identifiers set value = '${name}' where display = '${name}'`)
    const unknown = await workOf(() => logIn(`heiß-${database.name}`))
    expect(await workOf(() => logIn(name))).toEqual(unknown)
  })

  test('so it is for an account that is disabled', async () => {
    const { user, email } = await member()
    const unknown = await workOf(() => logIn(someEmail()))
    await server.auth.api.disableUser(user.id)
    expect(await workOf(() => logIn(email))).toEqual(unknown)
  })

  test.each([
    { flood: 'unknown addresses', isKnown: false },
    { flood: 'known ones', isKnown: true },
  ])(
    'so it is when a flood of guesses at $flood has used up the lines of the audit log',
    async ({ isKnown }) => {
      const people = [await member(), await member(), await member(), await member()]
      for (let guess = 0; guess < 62; guess++)
        await logIn(isKnown ? (people[guess % 4]?.email ?? '') : someEmail())
      const { email } = await member()
      const unknown = await workOf(() => logIn(someEmail()))
      expect(unknown.statements.filter((one) => one === 'a failure')).toHaveLength(1)
      expect(await workOf(() => logIn(email))).toEqual(unknown)
      server.clock.advance(60)
    },
  )

  test('so it is once guesses at it have to wait', async () => {
    const { email } = await member()
    const stranger = someEmail()
    const works = []
    for (const named of [email, stranger]) {
      for (let guess = 0; guess < 20; guess++) await logIn(named)
      works.push(await workOf(() => logIn(named)))
    }
    expect(works[0]).toEqual(works[1])
    expect(works[0]?.status).toBe(429)
    server.clock.advance(60)
  })

  test.each(['/auth/password/forgot', '/auth/register'])('%s is the same for every address', async (path) => {
    const { email } = await member()
    const disabled = await member()
    await server.auth.api.disableUser(disabled.user.id)
    const unknown = await workOf(() => send(path, { email: someEmail() }))
    expect([unknown.status, unknown.statements.length]).toEqual([202, 2])
    for (const known of [email, disabled.email, email.toUpperCase()])
      expect(await workOf(() => send(path, { email: known }))).toEqual(unknown)
  })

  test('so is the form of /forgot-password', async () => {
    const { email } = await member()
    const ask = (named: string) =>
      workOf(() =>
        server.call('POST', '/forgot-password', {
          raw: new URLSearchParams({ email: named }).toString(),
          headers: { 'content-type': 'application/x-www-form-urlencoded', origin: URL_OF_AUTH },
          address: elsewhere(),
        }),
      )
    const unknown = await ask(someEmail())
    expect(unknown.status).toBe(200)
    expect(await ask(email)).toEqual(unknown)
  })

  test('a change of address is the same for a new one that is somebody’s and one that is nobody’s', async () => {
    const { access_token: token } = await member()
    const { email: taken } = await member()
    const ask = (email: string) =>
      workOf(() => send('/auth/email/change', { email, password: PASSWORD }, { token }))
    const first = await ask(someEmail())
    expect(first.status).toBe(202)
    expect(await ask(taken)).toEqual(first)
  })
})
