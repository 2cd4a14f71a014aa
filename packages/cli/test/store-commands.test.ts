import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { keySetVersion } from '@mapae/guard/revocations'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { mapaeHere, type Where } from './here.ts'
import { mapae, startServer, temporaryFolder } from './mapae.ts'

const PASSWORD = 'correct horse battery'
const SOON = { timeout: 25_000, interval: 100 }

describe.each(databases)('users, keys and migrate on $name', (database) => {
  test('users are added, listed and disabled, as processes', async () => {
    const { flags } = await place()
    const added = await mapae(
      [
        'users',
        'add',
        '--email',
        'me@example.com',
        '--role',
        'admin',
        '--role',
        'clerk',
        '--password-stdin',
        ...flags,
      ],
      { stdin: `${PASSWORD}\n` },
    )
    expect([added.code, added.stderr]).toEqual([0, ''])
    expect(added.stdout).toMatch(/^Added me@example\.com \([\w-]{20,}\)\.\n$/)

    const listed = await mapae(['users', 'list', ...flags])
    expect([listed.code, listed.stderr]).toEqual([0, ''])
    expect(listed.stdout).toMatch(
      /^[\w-]{20,} {2}me@example\.com {4}since \d{4}-\S+ \S+ \S+ {2}admin clerk\n$/,
    )

    const disabled = await mapae(['users', 'disable', 'ME@example.com', ...flags])
    expect(disabled).toMatchObject({
      code: 0,
      stdout: 'The account ME@example.com is disabled, and its sessions have ended.\n',
    })
    expect((await mapae(['users', 'list', ...flags])).stdout).toMatch(/admin clerk {2}disabled\n$/)
  })

  test('--json is JSON, with as many accounts as there are', async () => {
    const { here } = await place()
    expect((await here(['users', 'list', '--json'])).stdout).toBe('[]\n')
    expect((await here(['users', 'list'])).stdout).toBe('There are no accounts yet.\n')
    const added = []
    for (const name of ['김하나', 'two'])
      added.push(
        JSON.parse(
          (await here([...add('--username', name), '--name', 'A "B"', '--scope', 'a', '--json'])).stdout,
        ),
      )
    expect(added[0]).toMatchObject({
      username: '김하나',
      email: null,
      name: 'A "B"',
      scopes: ['a'],
      roles: [],
    })
    const listed = JSON.parse((await here(['users', 'list', '--json'])).stdout)
    expect(listed).toHaveLength(2)
    expect(listed).toEqual(
      expect.arrayContaining(added.map((user) => ({ ...user, disabled: false, last_login_at: null }))),
    )
  })

  test('what cannot be added is refused in one sentence, and nothing is added', async () => {
    const { here } = await place()
    expect((await here(add('--email', 'me@example.com'))).code).toBe(0)
    for (const [args, stdin, sentence] of [
      [['--email', 'Me@Example.com'], PASSWORD, 'The e-mail address or username is taken'],
      [['--email', 'no address'], PASSWORD, 'The e-mail address is not one.'],
      [['--username', 'a\u202eb'], PASSWORD, /^A username has 3 to 32 letters/],
      [['--username', 'new'], 'short', 'The password has fewer than 8 characters'],
      [['--username', 'new'], 'password123', 'The password is one of the most common ones'],
      [['--username', 'new'], '', 'The password has fewer than 8 characters'],
    ] as const) {
      const { code, stdout, stderr } = await here(add(...args), { stdin })
      expect([code, stdout, stderr.split('\n').length]).toEqual([1, '', 2])
      expect(stderr.trimEnd()).toMatch(sentence)
      expect(stderr).not.toContain(stdin || 'nothing')
    }
    expect(JSON.parse((await here(['users', 'list', '--json'])).stdout)).toHaveLength(1)
  })

  test('a password made of words of MAPAE_PASSWORD_WORDS is refused', async () => {
    const { here } = await place()
    const environment = { MAPAE_PASSWORD_WORDS: 'Chunhyang, 마패상사' }
    for (const stdin of ['chunhyang-77', '마패상사!2026']) {
      const { code, stderr } = await here(add('--username', 'new'), { stdin, environment })
      expect([code, stderr]).toEqual([
        1,
        'The password has fewer than 8 characters besides names of the account and of this site\n',
      ])
    }
    const short = { environment: { MAPAE_PASSWORD_WORDS: 'abc' } }
    expect((await here(add('--username', 'new'), short)).stderr).toMatch(
      /^The option passwordWords\.0: must have four/,
    )
  })

  test('a password is taken from standard input as it is, less one line break', async () => {
    const { here, data, flags } = await place()
    expect((await here(add('--username', 'spaces'), { stdin: `  ${PASSWORD} \r\n` })).code).toBe(0)
    const server = await startServer(['--data', data, ...flags])
    const logIn = (password: string) =>
      fetch(`${server.url}/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ identifier: 'spaces', password }),
      })
    expect((await logIn(`  ${PASSWORD} `)).status).toBe(200)
    expect((await logIn(PASSWORD)).status).toBe(401)
  })

  test('on a terminal the password is asked for twice, and never shown', async () => {
    const { here } = await place()
    const args = ['users', 'add', '--username', 'asked']
    const type = (stdin: string) => here(args, { tty: true, stdin })
    for (const [stdin, code, sentence] of [
      [`${PASSWORD}\r${PASSWORD}!\r`, 1, 'The two passwords are not the same.'],
      [`${PASSWORD}\r`, 1, 'No password was given.'],
      [`${PASSWORD}\r\u0003`, 130, 'Nothing was done.'],
      ['\u0004', 1, 'No password was given.'],
    ] as const) {
      const outcome = await type(stdin)
      expect([outcome.code, outcome.stdout]).toEqual([code, ''])
      expect(outcome.stderr).toMatch(new RegExp(`^Password: \\n(Once more: \\n)?${sentence}\\n$`))
    }
    expect(await type(`wrong\u007f\u007f\u007f\u007f\u007f${PASSWORD}\r${PASSWORD}\r`)).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^Added asked /),
      stderr: 'Password: \nOnce more: \n',
    })
    expect(await here(args)).toMatchObject({
      code: 2,
      stderr: 'mapae users add cannot ask for a password without a terminal: use --password-stdin.\n',
    })
  })

  test('an account is disabled by its id, although another has that id for a username', async () => {
    const { here } = await place()
    const { id } = JSON.parse((await here([...add('--email', 'bad@example.com'), '--json'])).stdout)
    expect((await here(add('--username', id))).code).toBe(0)
    expect((await here(['users', 'disable', id])).code).toBe(0)
    const users = JSON.parse((await here(['users', 'list', '--json'])).stdout)
    expect(users.find((user: { disabled: boolean }) => user.disabled).email).toBe('bad@example.com')
    expect((await here(['users', 'disable', id])).stdout).toBe(`The account ${id} was disabled before.\n`)
    expect(await here(['users', 'disable', 'nobody\u009b'])).toMatchObject({
      code: 1,
      stderr: 'There is no account "nobody\\u009b".\n',
    })
  })

  test('a disabled account is out at once, on the server that runs', async () => {
    const { here, data, flags } = await place()
    const server = await startServer(['--data', data, ...flags])
    const registered = await fetch(`${server.url}/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'me@example.com', password: PASSWORD }),
    })
    const { access_token } = JSON.parse(await registered.text())
    const me = () => fetch(`${server.url}/auth/me`, { headers: { authorization: `Bearer ${access_token}` } })
    expect((await me()).status).toBe(200)
    expect((await here(['users', 'disable', 'me@example.com'])).code).toBe(0)
    expect((await me()).status).toBe(401)
  })

  test('names that people chose for themselves reach the terminal escaped and in quotes', async () => {
    const { here } = await place()
    const name = 'Kim  since 2020\u001b[8m\u202e\u3164'
    expect((await here([...add('--username', 'kim'), '--name', name])).code).toBe(0)
    const { stdout } = await here(['users', 'list'], { tty: true })
    expect(stdout).toContain('  "Kim  since 2020\\u001b[8m\\u202e\\u3164"  since ')
    const json = (await here(['users', 'list', '--json'], { tty: true })).stdout
    expect(json).not.toMatch(/[^\P{C}\n]/u)
    expect(JSON.parse(json)[0].name).toBe(name)
    for (const args of [
      ['users', 'show', 'kim'],
      ['users', 'show', 'kim', '--json'],
    ]) {
      const shown = (await here(args, { tty: true })).stdout
      expect(shown).toContain('\\u202e')
      expect(shown).not.toMatch(/[^\P{C}\n]|\u3164/u)
    }
  })

  test('keys are listed and rotated: published first, or at once', async () => {
    const { here, data, flags } = await place()
    const server = await startServer(['--data', data, ...flags])
    const published = async () =>
      JSON.parse(await (await fetch(`${server.url}/.well-known/jwks.json`)).text()).keys
    const [{ kid }] = await published()
    const listed = await here(['keys', 'list', ...flags])
    expect(listed.stdout).toMatch(new RegExp(`^${kid}  ES256  active  signed from \\S+ \\S+ \\S+ \\(`))

    const next = await here(['keys', 'rotate', '--json'])
    expect(next.code).toBe(0)
    expect(JSON.parse(next.stdout)).toMatchObject({ status: 'next', algorithm: 'ES256' })
    const now = await here(['keys', 'rotate', '--now'])
    expect(now.stdout).toMatch(/^\S+ {2}ES256 {2}active {2}signed from /)
    const all = JSON.parse((await here(['keys', 'list', '--json'])).stdout)
    expect(all.map(({ status }: { status: string }) => status).sort()).toEqual(['active', 'next', 'retired'])
  })

  test('a key that is rotated waits for the guards, and one that signs at once says whom it did not wait for', async () => {
    const { here, data, flags } = await place()
    const server = await startServer(['--data', data, ...flags])
    const alone = await here(['keys', 'rotate'])
    expect(alone.stderr).toBe('No guard was heard of within ten minutes.\n')

    const id = 'g'.repeat(22)
    const report = async (version: string) => {
      const headers = { 'mapae-guard': `${id}; keys=${version}` }
      expect((await fetch(`${server.url}/revocations?since=0`, { headers })).status).toBe(200)
    }
    await report('old')
    const now = await here(['keys', 'rotate', '--now'])
    expect(now.stderr).toMatch(/^WARNING: the new key signs at once\. 1 guards do not hold it yet/)
    expect((await here(['keys', 'rotate', '--no-wait'])).stderr).toBe('')

    const waiting = here(['keys', 'rotate'])
    const held = async (count: number) => {
      const { keys } = JSON.parse(await (await fetch(`${server.url}/.well-known/jwks.json`)).text())
      expect(keys).toHaveLength(count)
      return keySetVersion(keys)
    }
    await report(await vi.waitFor(() => held(5), SOON))
    const waited = await waiting
    expect(waited.stderr).toMatch(
      new RegExp(
        `^0 of 1 guards hold the key\\.\n  not yet: ${id}, heard of .*\nThe feed is open, .*\n1 of 1 guards hold the key\\.\n$`,
      ),
    )
    expect([waited.code, waited.stdout]).toEqual([
      0,
      expect.stringMatching(/^\S+ {2}ES256 {2}next {2}signs from /),
    ])
  })

  test('a key is put off for guards that have shown the token of the feed', async () => {
    const { here, data, flags } = await place()
    const token = 'the-token-of-the-revocation-feed'
    const server = await startServer(['--data', data, ...flags], {
      env: { MAPAE_REVOCATION_FEED_TOKEN: token },
    })
    const report = async (version: string) => {
      const headers = {
        'mapae-guard': `${'g'.repeat(22)}; keys=${version}`,
        authorization: `Bearer ${token}`,
      }
      expect((await fetch(`${server.url}/revocations?since=0`, { headers })).status).toBe(200)
    }
    await report('old')
    // Nine minutes and a half later.
    const waiting = here(['keys', 'rotate'], { clock: () => Date.now() + 570_000 })
    const keys = await vi.waitFor(async () => {
      const set = JSON.parse(await (await fetch(`${server.url}/.well-known/jwks.json`)).text())
      expect(set.keys).toHaveLength(2)
      return set.keys
    }, SOON)
    await report(keySetVersion(keys))
    const { code, stderr } = await waiting
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(
        /^0 of 1 guards hold the key\.\n {2}not yet: g+, heard of .*\n(The key waits for them, and signs .*\.\n)+1 of 1 guards hold the key\.\n$/,
      ),
    ])
  })

  test('a key is put off for nobody who may have made themselves up, however many they are', async () => {
    const { here, data, flags } = await place()
    const server = await startServer(['--data', data, ...flags])
    for (let guard = 0; guard < 25; guard++) {
      const headers = { 'mapae-guard': `invented-guard-${guard}; keys=none` }
      expect((await fetch(`${server.url}/revocations?since=0`, { headers })).status).toBe(200)
    }
    const { code, stderr } = await here(['keys', 'rotate'], { clock: () => Date.now() + 570_000 })
    const lines = stderr.split('\n')
    expect([code, lines.length]).toEqual([0, 25])
    expect([lines[0], ...lines.slice(21)]).toEqual([
      '0 of 25 guards hold the key.',
      '  and 5 more',
      'The feed is open, so anybody can say that they are a guard: for those the key is not put off. MAPAE_REVOCATION_FEED_TOKEN closes it.',
      expect.stringMatching(/^The key signs .*\.$/),
      '',
    ])
  })

  test('a key is withdrawn for good, and only with --yes', async () => {
    const { here, data, flags } = await place()
    const server = await startServer(['--data', data, ...flags])
    const published = async () =>
      JSON.parse(await (await fetch(`${server.url}/.well-known/jwks.json`)).text()).keys
    const [{ kid }] = await published()
    const asked = await here(['keys', 'withdraw', kid])
    expect([asked.code, asked.stderr]).toEqual([
      1,
      `Nothing was done: to withdraw the key ${kid} for good, add --yes.\n`,
    ])
    const done = await here(['keys', 'withdraw', kid, '--yes'])
    expect([done.code, done.stderr]).toEqual([0, ''])
    expect(done.stdout).toMatch(
      new RegExp(`^The key ${kid} is withdrawn\\.\\n\\S+  ES256  active  signed from `),
    )
    expect((await here(['keys', 'withdraw', kid, '--yes'])).stdout).toBe(
      `The key ${kid} was withdrawn before.\n`,
    )
    const unknown = await here(['keys', 'withdraw', 'nobody', '--yes'])
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      'There is no key nobody: mapae keys list shows those that there are.\n',
    ])
    const hyphen = `-${'a'.repeat(42)}`
    expect((await here(['keys', 'withdraw', hyphen, '--yes'])).stderr, 'one id in 64').toContain(
      `There is no key ${hyphen}:`,
    )
    expect((await here(['keys', 'list'])).stdout).toMatch(new RegExp(`${kid}  ES256  withdrawn  `))
  })

  test('a key is not made under a secret that no server has', async () => {
    const { flags, data, here } = await place()
    expect((await here(add('--username', 'somebody'))).code).toBe(0)
    const { code, stdout, stderr } = await mapae(['keys', 'rotate', ...flags])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toBe(
      `This needs the secret of the server: set MAPAE_SECRET, or name the data folder; there is no ${join(data, 'secret')}.\n`,
    )
    expect((await here(['keys', 'list'])).stdout).toBe('There are no keys yet: the first login makes one.\n')
    expect(existsSync(join(data, 'secret'))).toBe(false)
  })

  test('migrate says what it does, and does it once', async () => {
    const { flags, data } = await place({ migrated: false })
    const dry = await mapae(['migrate', '--dry-run', ...flags])
    expect([dry.code, dry.stderr]).toEqual([0, ''])
    expect(dry.stdout).toMatch(
      database.name === 'sqlite' ? /^There is no database .* yet/ : /^would do: 0001/,
    )
    const done = await mapae(['migrate', ...flags])
    expect([done.code, done.stderr]).toEqual([0, ''])
    expect(done.stdout).toMatch(/^done: 0001\S*\n/)
    expect(await mapae(['migrate', ...flags])).toMatchObject({
      code: 0,
      stdout: 'The database is up to date.\n',
    })
    expect(await readdir(data)).not.toContain('secret')
  })

  /** A database of the test's own and a data folder; on SQLite the one is in the other. */
  async function place({ migrated = true } = {}) {
    const data = await temporaryFolder()
    const opened = database.name === 'postgres' ? await database.open() : undefined
    if (opened) onTestFinished(() => opened.close())
    const flags = ['--data', data, ...(opened ? ['--database', opened.url] : [])]
    const here = (args: readonly string[], where: Where = {}) =>
      mapaeHere([...args, ...flags], { stdin: PASSWORD, ...where })
    if (migrated) await here(['migrate'])
    return { data, flags, here }
  }
})

const add = (...who: readonly string[]) => ['users', 'add', '--password-stdin', ...who]

describe('a database that is not there', () => {
  test.each([
    ['users', 'list'],
    ['users', 'disable', 'me'],
    ['keys', 'list'],
    ['keys', 'rotate'],
  ])('%s %s makes none', async (...args) => {
    const data = await temporaryFolder()
    const { code, stdout, stderr } = await mapaeHere([...args, '--data', data])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toBe(
      `There is no database ${join(data, 'mapae.db')}: name the right one with --data or --database.\n`,
    )
    expect(await readdir(data)).toEqual([])
  })
})
