import { readdir, readFile } from 'node:fs/promises'
import { getPriority } from 'node:os'
import { createAuth } from '@mapae/server'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { readTables } from './read-database.ts'
import {
  PASSWORD,
  SECRET,
  someEmail,
  startAuth,
  startFreshAuth,
  type TestAuth,
  URL_OF_AUTH,
} from './start-auth.ts'

// Counts the work, which is done all the same, when it is let.
const work = vi.hoisted(() => ({ hashes: 0, verifications: 0, cost: '', isLet: Promise.resolve() }))
vi.mock(import('../src/passwords/hashing-threads.ts'), async (original) => {
  const { hashOnThread, verifyOnThread, ...others } = await original()
  return {
    ...others,
    hashOnThread(...args) {
      work.hashes++
      return hashOnThread(...args)
    },
    async verifyOnThread(...args) {
      work.verifications++
      work.cost = args[0].split('$').slice(0, 4).join('$')
      await work.isLet
      return verifyOnThread(...args)
    },
  }
})

describe.each(databases)('passwords, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database)
  })

  const registered = async (password: string) => {
    const email = someEmail()
    const answer = await server.register({ email, password })
    return { email, status: answer.status, code: answer.json.code }
  }
  const opens = async (email: string, password: string) =>
    (await server.login({ email, password })).status === 200

  test.each([
    ['8 letters', 'zqxjkvbw'],
    ['8 emoji, each two units of UTF-16', '🐎🐎🐎🐎🐎🐎🐎🦄'],
    ['8 spaces', '        '],
    ['spaces around', '  horse battery  '],
    ['NUL bytes', 'one\0two\0three'],
    ['line ends and tabs', 'a\r\n\tb\u2028c\u0085d'],
    ['Hangul', '암행어사 출두요'],
    ['1024 letters', 'k'.repeat(1024)],
    ['1024 emoji', '🐎'.repeat(1024)],
    ['quotes and a backslash', `'"\\'; drop table accounts; --`],
  ])('%s are a password', async (_, password) => {
    const { email, status } = await registered(password)
    expect(status).toBe(201)
    expect(await opens(email, password)).toBe(true)
  })

  test.each([
    ['nothing', '', 'password_too_short'],
    ['7 letters', 'zqxjkvb', 'password_too_short'],
    ['7 emoji, 14 units of UTF-16', '🐎'.repeat(7), 'password_too_short'],
    ['7 letters, decomposed into 14', 'e\u0301'.repeat(7), 'password_too_short'],
    ['1025 letters', 'k'.repeat(1025), 'password_too_long'],
    ['16,000 letters', 'k'.repeat(16_000), 'password_too_long'],
    ['password', 'password', 'password_too_common'],
    ['PASSWORD', 'PASSWORD', 'password_too_common'],
    ['12345678', '12345678', 'password_too_common'],
  ])('%s is refused', async (_, password, refusal) => {
    const { email, status, code } = await registered(password)
    expect([status, code]).toEqual([400, refusal])
    expect(await opens(email, password), 'no account was made').toBe(false)
  })

  describe('made of what everybody knows', () => {
    let named: TestAuth
    beforeAll(async () => {
      named = await startFreshAuth(database, { passwordWords: ['Chunhyang', '마패상사', 'R2-D2'] })
    })
    const answerTo = async (password: string, who: Readonly<Record<string, unknown>> = {}) => {
      const { status, json } = await named.register({ ...who, password })
      return [status, json.code]
    }
    const REFUSED = [400, 'password_too_obvious']
    const me = { email: 'gildong.hong+list@mail.example.net', username: 'Red_Panda' }

    test.each([
      ['the address', me.email],
      ['the address, written another way', 'GILDONG.HONG+LIST@MAIL.EXAMPLE.NET99'],
      ['the part before the @', 'gildong.hong+list'],
      ['a name in it, and a year', 'Gildong-2026!!'],
      ['two names in it', '1 hong 2 gildong 3'],
      ['the username', 'red_panda!'],
      ['a word of it, twice', 'pandapanda-1'],
      ['the username with digits for letters', 'R3D P4ND@ 123'],
      ['the host of the site', 'auth.example.com'],
      ['its domain', 'example.com123456'],
      ['a name in it, in other characters', 'ＥＸＡＭＰＬＥ１２３４'],
      ['a name in it, taken apart', 'e-x-a-m-p-l-e'],
      ['a word of the option', 'chunhyang7777777'],
      ['one in another script, decomposed', '마패상사1234567'.normalize('NFD')],
      ['one of letters and digits', 'r2d2r2d2 1234'],
      ['one behind signs for letters', '!!Chunhy@ng!!'],
    ])('is a password that nobody may choose: %s', async (_, password) => {
      expect(await answerTo(password, { ...me, name: 'nobody' })).toEqual(REFUSED)
      const { accounts = [] } = await readTables(named.database)
      expect(accounts.filter(({ name }) => name === 'nobody')).toEqual([])
    })

    test.each([
      ['a name with 8 more characters', 'gildong 12345678'],
      ['a passphrase with a name of the site in it', 'an example of a good one'],
      ['letters that are a name only where they were not together', 'exam then ple'],
      ['signs beside a name', 'panda#$%^&*()'],
    ])('is taken: %s', async (_, password) => {
      const email = `gildong.${someEmail()}`
      expect(await answerTo(password, { email, username: undefined })).toEqual([201, undefined])
      expect((await named.login({ email, password })).status).toBe(200)
    })

    test('is told in words, and never with the word that it was', async () => {
      const { text, json } = await named.register({ ...me, password: 'gildong.hong' })
      expect(json.title).toBe(
        'The password has fewer than 8 characters besides names of the account and of this site',
      )
      expect(text).not.toMatch(/gildong/i)
    })

    test('is refused where an administrator makes the account, too', async () => {
      await expect(
        named.auth.api.createUser({ username: 'lonely-panda', password: 'lonelypanda' }),
      ).rejects.toMatchObject({ code: 'password_too_obvious' })
    })

    test('still logs in who has it from before', async () => {
      const before = await startFreshAuth(database)
      await before.register({ email: 'someone@elsewhere.example', password: 'chunhyang-77' })
      const since = await startAuth(before.database, { passwordWords: ['chunhyang'] })
      const body = { email: 'someone@elsewhere.example', password: 'chunhyang-77' }
      expect((await since.login(body)).status).toBe(200)
    })

    test.each([['abc'], ['a b c !'], ['x'.repeat(65)]])('is not told by the word %.8s', (word) => {
      expect(() => createAuth({ url: URL_OF_AUTH, secret: SECRET, passwordWords: [word] })).toThrow(
        expect.objectContaining({
          code: 'options_invalid',
          message: expect.stringContaining('passwordWords'),
        }),
      )
    })
  })

  test('a password is the same however its characters are composed', async () => {
    const composed = await registered('pass\u00e9 compos\u00e9 한글')
    expect(await opens(composed.email, 'passe\u0301 compose\u0301 한글'.normalize('NFD'))).toBe(true)
    const decomposed = await registered('mot de passe\u0301'.normalize('NFD'))
    expect(await opens(decomposed.email, 'mot de pass\u00e9')).toBe(true)
  })

  test('nothing else about it is forgiven: case, spaces, compatibility characters', async () => {
    const { email } = await registered(' Ｈorse battery ﬁx ')
    for (const other of [
      ' ｈorse battery ﬁx ',
      'Ｈorse battery ﬁx',
      ' Ｈorse  battery ﬁx ',
      ' Horse battery fix ',
    ]) {
      expect(await opens(email, other), other).toBe(false)
    }
  })

  test('of the greatest length is the same however its characters are composed', async () => {
    for (const character of ['글', 'ệ', '\u{1f468}']) {
      const password = character.repeat(1024)
      const { email, status } = await registered(password.normalize('NFD'))
      expect([status, await opens(email, password)], character).toEqual([201, true])
    }
  })

  test('is not normalised when that would take long, which is quadratic in the marks of one letter', async () => {
    const normalise = vi.spyOn(String.prototype, 'normalize')
    const { email } = await registered('a password to compare with')
    for (const marks of ['\u0301\u0316'.repeat(4000), `${'k'.repeat(1024)}${'\u0301\u0316'.repeat(16)}`]) {
      expect((await registered(marks)).code).toBe('password_too_long')
      expect(await opens(email, marks)).toBe(false)
      expect(await opens(someEmail(), marks)).toBe(false)
      expect(normalise.mock.contexts.filter((text) => String(text) === marks)).toEqual([])
    }
    normalise.mockRestore()
  })

  test.each([
    ['1000 letters', `${'k'.repeat(999)}a`, `${'k'.repeat(999)}b`],
    ['1024 emoji', `${'🐎'.repeat(1023)}🐎`, `${'🐎'.repeat(1023)}🦄`],
    ['a NUL byte', 'horse\0battery', 'horse\0batterz'],
    ['73 bytes, where bcrypt would stop', `${'k'.repeat(72)}a`, `${'k'.repeat(72)}b`],
  ])('%s are not truncated: the last character counts', async (_, password, other) => {
    const { email } = await registered(password)
    expect(await opens(email, other)).toBe(false)
    expect(await opens(email, password)).toBe(true)
  })

  test('an unknown identifier is as much work as a wrong password, from the first login on', async () => {
    const fresh = await startFreshAuth(database)
    const email = someEmail()
    await fresh.register({ email })
    const workOf = async (login: () => Promise<unknown>) => {
      Object.assign(work, { hashes: 0, verifications: 0, cost: '' })
      await login()
      const { hashes, verifications, cost } = work
      return { hashes, verifications, cost }
    }
    const unknown = await workOf(() => fresh.login({ email: someEmail(), password: 'not the password' }))
    const wrong = await workOf(() => fresh.login({ email, password: 'not the password' }))
    expect(wrong).toEqual({ hashes: 0, verifications: 1, cost: '$argon2id$v=19$m=19456,t=2,p=1' })
    expect(unknown).toEqual(wrong)
    expect(await workOf(() => fresh.login({ identifier: 'Nobody', password: 'x' }))).toEqual(wrong)
  })
})

describe.each(databases)('a flood of logins, on $name', (database) => {
  test('is refused with 503 and Retry-After beyond the queue, while others are served', async () => {
    const server = await startFreshAuth(database, { passwordHashing: { atOnce: 1, waiting: 2 } })
    const email = someEmail()
    const { json } = await server.register({ email })
    const me = () => server.call('GET', '/auth/me', { token: json.access_token })
    await Promise.all(Array.from({ length: 20 }, me)) // opens the connections

    const flood = Array.from({ length: 20 }, () => server.login({ email }))
    const served = me()
    const answers = await Promise.all(flood)
    expect((await served).status).toBe(200)

    const busy = answers.filter((answer) => answer.status !== 200)
    expect(busy.length).toBeGreaterThan(0)
    expect(answers.length - busy.length).toBeGreaterThanOrEqual(3)
    for (const answer of busy) {
      expect([answer.status, answer.json.code]).toEqual([503, 'busy'])
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    }
    expect((await server.login({ email })).status, 'afterwards').toBe(200)
    expect((await server.register({ password: PASSWORD })).status, 'afterwards').toBe(201)
  })

  test('whoever comes too late is refused before a body is read or the database is asked', async () => {
    const server = await startFreshAuth(database, { passwordHashing: { atOnce: 1, waiting: 0 } })
    const email = someEmail()
    await server.register({ email })
    let begin = () => {}
    Object.assign(work, {
      verifications: 0,
      isLet: new Promise<void>((resolve) => {
        begin = resolve
      }),
    })
    onTestFinished(() => {
      begin()
      work.isLet = Promise.resolve()
    })
    const login = server.login({ email })
    await vi.waitUntil(() => work.verifications > 0, { timeout: 30_000 })
    const before = await brakesOf(server)
    for (const { status, json } of [
      await server.login({ email: someEmail() }),
      await server.call('POST', '/auth/login', { raw: '{', headers: { 'content-type': 'application/json' } }),
    ])
      expect([status, json.code]).toEqual([503, 'busy'])
    expect(await brakesOf(server)).toEqual(before)

    let refused = 0
    const crowd = Array.from({ length: 400 }, async () => {
      const { status } = await server.login({ email })
      refused++
      return status
    })
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    expect(refused, 'in twenty turns of the event loop, which others have a part in').toBeLessThan(200)
    expect(new Set(await Promise.all(crowd))).toEqual(new Set([503]))
    begin()
    expect((await login).status).toBe(200)
  })

  test.runIf(process.platform === 'linux')('gives way to the event loop', async () => {
    const server = await startFreshAuth(database)
    await server.register()
    expect(await nicenessOfThreads()).toContain(getPriority() + 10)
  })
})

async function brakesOf(server: TestAuth) {
  return (await readTables(server.database))['brakes']
}

/** The field `nice` of proc_pid_stat(5), which comes 16 after the name of the thread in brackets. */
async function nicenessOfThreads(): Promise<number[]> {
  const threads = await readdir('/proc/self/task')
  const stats = await Promise.all(threads.map((id) => readFile(`/proc/self/task/${id}/stat`, 'utf8')))
  return stats.map((stat) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]))
}
