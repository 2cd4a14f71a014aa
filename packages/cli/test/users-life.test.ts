import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createAuth } from '@mapae/server'
import { type Io, run } from 'mapae'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { databases, type TestDatabase } from '../../../test-support/databases.ts'

const SECRET = 'a-server-secret-for-tests-of-32-characters-or-more'

describe.each(databases)('mapae users, on $name', ({ open }) => {
  let database: TestDatabase
  beforeEach(async () => {
    database = await open()
    onTestFinished(database.close)
  })

  /** Runs the command on the database of the test, with `stdin` as what comes by the pipe. */
  const mapae = async (line: readonly string[], stdin: string | Readable = '') => {
    const told = { stdout: '', stderr: '' }
    const io: Io = {
      stdin: typeof stdin === 'string' ? Readable.from([stdin]) : stdin,
      stdout: { write: (text) => (told.stdout += text) },
      stderr: { write: (text) => (told.stderr += text) },
      environment: { MAPAE_SECRET: SECRET },
      clock: Date.now,
    }
    const code = await run([...line, '--database', database.url], io)
    return { code, ...told }
  }
  const jsonOf = async (...line: string[]) => JSON.parse((await mapae([...line, '--json'])).stdout)
  const add = (email: string) =>
    mapae(['users', 'add', '--email', email, '--password-stdin'], 'correct horse battery')

  test('grant and withdraw say what the account then has', async () => {
    await add('me@example.com')
    const named = ['me@example.com', '--role', 'admin', '--role', 'clerk', '--scope', 'orders:write']
    const granted = await mapae(['users', 'grant', ...named])
    expect(granted).toEqual({
      code: 0,
      stdout: 'The account me@example.com has the roles admin, clerk and the scope orders:write.\n',
      stderr: '',
    })
    expect(await jsonOf('users', 'withdraw', 'me@example.com', '--role', 'admin')).toEqual({
      roles: ['clerk'],
      scopes: ['orders:write'],
    })
    const rest = ['me@example.com', '--role', 'clerk', '--scope', 'orders:write']
    expect((await mapae(['users', 'withdraw', ...rest])).stdout).toBe(
      'The account me@example.com has no roles and no scopes.\n',
    )
  })

  test('grant and withdraw refuse what is no role, nobody, and nothing', async () => {
    await add('me@example.com')
    for (const verb of ['grant', 'withdraw']) {
      const nothing = await mapae(['users', verb, 'me@example.com'])
      expect([nothing.code, nothing.stderr]).toEqual([2, `mapae users ${verb} needs --role or --scope.\n`])
      const nobody = await mapae(['users', verb, 'you@example.com', '--role', 'admin'])
      expect([nobody.code, nobody.stderr]).toEqual([1, 'There is no account "you@example.com".\n'])
    }
    const odd = await mapae(['users', 'grant', 'me@example.com', '--role', 'ad min'])
    expect([odd.code, odd.stdout]).toEqual([1, ''])
    expect(odd.stderr).toMatch(/^A role has 1 to 64 letters/)
  })

  test('disable and enable shut out and let in again', async () => {
    await add('me@example.com')
    const enable = () => mapae(['users', 'enable', 'me@example.com'])
    expect((await enable()).stdout).toBe('The account me@example.com was not disabled.\n')
    await mapae(['users', 'disable', 'me@example.com'])
    expect((await jsonOf('users', 'show', 'me@example.com')).user.disabled).toBe(true)
    expect((await enable()).stdout).toBe('The account me@example.com may log in again.\n')
    expect((await jsonOf('users', 'show', 'me@example.com')).user.disabled).toBe(false)
  })

  test('unlock forgets the wrong passwords, by any of the identifiers', async () => {
    await add('me@example.com')
    const unlock = (named = 'me@example.com') => mapae(['users', 'unlock', named])
    expect((await unlock()).stdout).toBe('The account me@example.com was not held up.\n')

    const auth = createAuth({ url: 'https://auth.example.com', secret: SECRET, database: database.url })
    onTestFinished(auth.close)
    const logIn = async (password: string) => {
      const body = JSON.stringify({ email: 'me@example.com', password })
      const headers = { 'content-type': 'application/json' }
      const request = new Request('https://auth.example.com/auth/login', { method: 'POST', headers, body })
      return (await auth.fetch(request, { address: '192.0.2.1' })).status
    }
    for (let time = 0; time < 10; time++) expect(await logIn('not the password')).toBe(401)
    for (let time = 0; time < 2; time++) await logIn('not the password')
    expect(await logIn('correct horse battery')).toBe(429)
    expect(await unlock()).toEqual({
      code: 0,
      stdout: 'The account me@example.com may log in at once.\n',
      stderr: '',
    })
    expect(await logIn('correct horse battery')).toBe(200)
    const nobody = await unlock('you@example.com')
    expect([nobody.code, nobody.stderr]).toEqual([1, 'There is no account "you@example.com".\n'])
  })

  test('delete does nothing without --yes, and then deletes for good', async () => {
    await add('me@example.com')
    const asked = await mapae(['users', 'delete', 'me@example.com'])
    expect([asked.code, asked.stdout]).toEqual([1, ''])
    expect(asked.stderr).toMatch(/^Nothing was done: .* add --yes\.\n$/)
    expect((await mapae(['users', 'show', 'me@example.com'])).code).toBe(0)
    const deleted = await mapae(['users', 'delete', 'me@example.com', '--yes'])
    expect([deleted.code, deleted.stdout]).toEqual([
      0,
      expect.stringMatching(/ is deleted, and its sessions/),
    ])
    expect((await mapae(['users', 'show', 'me@example.com'])).code).toBe(1)
    expect((await mapae(['users', 'delete', 'me@example.com', '--yes'])).code).toBe(1)
    expect((await add('me@example.com')).code, 'the address is free').toBe(0)
  })

  test('show tells of an account, safely for a terminal', async () => {
    const user = {
      email: 'me@example.com',
      email_verified: true,
      roles: ['admin'],
      website: 'https://a.example',
    }
    await mapae(['users', 'import', '-'], JSON.stringify(user))
    const { code, stdout } = await mapae(['users', 'show', 'me@example.com'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^email +me@example\.com$/m)
    expect(stdout).toMatch(/^email_verified +yes$/m)
    expect(stdout).toMatch(/^roles +admin$/m)
    expect(stdout).toMatch(/^last_login_at +never$/m)
    expect(stdout).toContain('It is logged in nowhere.')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
    expect(await jsonOf('users', 'show', 'me@example.com')).toMatchObject({
      user: { email: 'me@example.com', roles: ['admin'], disabled: false, last_login_at: null },
      sessions: [],
    })
  })

  test('import reads lines, names those that it refuses, and may be run again', async () => {
    const lines = [
      '\ufeff{"email":"one@example.com","name":"하나"}',
      '',
      '{"email":"two@example.com"}\r',
      'not json',
      '{"email":"one@example.com","name":"other"}',
      '{"email":"three@example.com","password_hash":"$2x$05$\u001b[31m"}',
      `{"email":"four@example.com","name":"${'k'.repeat(70_000)}"}`,
      '{"emial":"five@example.com"}',
      '{"email":"six@example.com"}',
    ]
    const file = join(await folderOf(), 'users.jsonl')
    await writeFile(file, lines.join('\n'))
    const first = await mapae(['users', 'import', file])
    expect([first.code, first.stdout]).toEqual([1, 'Imported 3; 1 were there already; 4 refused.\n'])
    expect(first.stderr.split('\n')).toEqual([
      'line 4: It is not JSON.',
      'line 5: is there already',
      'line 6: It is not JSON.',
      'line 7: It has more than 65536 bytes, or is not UTF-8.',
      'line 8: Unrecognized key: "emial"',
      '',
    ])
    expect(first.stderr).not.toContain('example.com')
    expect((await jsonOf('users', 'show', 'one@example.com')).user.name).toBe('하나')

    const again = await mapae(['users', 'import', file])
    expect(again.stdout).toBe('Imported 0; 4 were there already; 4 refused.\n')
  })

  test('import takes more than a batch from a pipe, cut anywhere, and exits with 0 when all is well', async () => {
    const lines = Array.from({ length: 250 }, (_, n) => `{"email":"p${n}@example.com","name":"이름 ${n}"}\n`)
    const bytes = Buffer.from(lines.join(''))
    const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, n) =>
      bytes.subarray(n * 7, n * 7 + 7),
    )
    const outcome = await mapae(['users', 'import', '-'], Readable.from(pieces))
    expect(outcome).toEqual({
      code: 0,
      stdout: 'Imported 250; 0 were there already; 0 refused.\n',
      stderr: '',
    })
    expect((await jsonOf('users', 'show', 'p249@example.com')).user.name).toBe('이름 249')
  })

  test.each([
    [['nowhere.jsonl'], 1, /^The file nowhere\.jsonl cannot be read: there is no such file\.\n$/],
    [['.'], 1, /^The file \. cannot be read: it is a folder\.\n$/],
    [[], 2, /^mapae users import needs FILE\|-/],
  ])('import %j is told why not', async (words, code, sentence) => {
    const outcome = await mapae(['users', 'import', ...words])
    expect([outcome.code, outcome.stdout]).toEqual([code, ''])
    expect(outcome.stderr).toMatch(sentence)
  })
})

async function folderOf(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mapae-import-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}
