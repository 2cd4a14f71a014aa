import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { canRunAs, type How, mapae, startServer, temporaryFolder } from './mapae.ts'

const SECRET = 'a server secret for tests of 32 characters or more'

/** Root may write everywhere: then somebody else runs the command, unless the checkout is in a folder that is closed to them. */
const NOBODY = 65_534
const isRoot = process.getuid?.() === 0
const unprivileged = isRoot ? { uid: NOBODY } : {}
const canDropPrivileges = !isRoot || canRunAs(NOBODY)

describe.each(databases)('mapae start on $name', (database) => {
  test('says that it is ready, where to look, and is', async () => {
    const data = await temporaryFolder()
    const opened = await database.open()
    onTestFinished(() => opened.close())
    const server = await startServer(['--data', data, '--database', opened.url])
    const { port, url, printed } = server
    expect(printed.stdout).toMatch(
      new RegExp(`^마패 Mapae is running on http://localhost:${port}  \\(ready after \\d+\\.\\d\\d s\\)\\n`),
    )
    expect(printed.stdout).not.toMatch(/postgres:.*@/)
    expect(printed.stdout).not.toContain('\u001b')
    for (const path of ['/healthz', '/readyz', '/openapi.json', '/.well-known/jwks.json', '/'])
      expect((await fetch(url + path)).status).toBe(200)
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
    server.child.kill('SIGTERM')
    expect(await server.ended).toMatchObject({ code: 0, signal: null, stderr: '' })
  })
})

test.runIf(process.platform === 'linux')('who lists processes sees no password of a database', async () => {
  const opened = await databases[1]?.open()
  if (!opened) throw new Error('there is no PostgreSQL in the list')
  onTestFinished(() => opened.close())
  const server = await startServer(['--data', await temporaryFolder(), '--database', opened.url])
  const seen = await readFile(`/proc/${server.child.pid}/cmdline`, 'utf8')
  expect(seen.replaceAll('\0', '')).toBe('mapae')
})

describe('the curl tour', () => {
  const hasCurl =
    spawnSync('curl', ['--version']).status === 0 && spawnSync('bash', ['--version']).status === 0

  test.skipIf(!hasCurl)('works when its lines are pasted into bash, as often as one likes', async () => {
    const server = await startServer(['--data', await temporaryFolder()])
    const lines = server.printed.stdout.split('\n').filter((line) => line.startsWith('  '))
    expect(lines).toHaveLength(10)
    for (const _ of [1, 2]) {
      const [, registered, , , me, renewed, , sessions, loggedOut, refused] = await paste(lines)
      const tokens = JSON.parse(registered ?? '')
      expect(tokens).toMatchObject({
        token_type: 'Bearer',
        access_token: expect.stringMatching(/^eyJ/),
        user: { email: expect.stringMatching(/@example\.com$/) },
      })
      expect(JSON.parse(me ?? '').user).toEqual(tokens.user)
      expect(JSON.parse(renewed ?? '')).toMatchObject({
        token_type: 'Bearer',
        access_token: expect.stringMatching(/^eyJ/),
      })
      expect(JSON.parse(renewed ?? '').refresh_token).not.toBe(tokens.refresh_token)
      expect(JSON.parse(sessions ?? '').sessions).toHaveLength(1)
      expect(loggedOut).toBe('204')
      expect(JSON.parse(refused ?? '')).toMatchObject({ status: 401 })
    }
  })

  /** What each line prints. */
  async function paste(lines: readonly string[]): Promise<string[]> {
    const marked = lines.map((line) => `${line}\necho '<<end>>'\n`).join('')
    const bash = promisify(execFile)('bash', ['--norc', '-e'])
    bash.child.stdin?.end(marked)
    const { stdout, stderr } = await bash
    expect(stderr).toBe('')
    return stdout.split('<<end>>\n').map((answer) => answer.trim())
  }
})

describe('the secret', () => {
  test('is made in the data folder, for this user alone, and kept', async () => {
    const data = join(await temporaryFolder(), 'deep', 'data')
    const first = await startServer(['--data', data])
    const file = join(data, 'secret')
    const secret = await readFile(file, 'utf8')
    expect(secret).toMatch(/^[\w-]{43}\n$/)
    expect([await modeOf(file), await modeOf(data)]).toEqual([0o600, 0o700])
    for (const name of ['mapae.db', 'mapae.db-wal']) expect(await modeOf(join(data, name))).toBe(0o600)
    first.child.kill('SIGTERM')
    await first.ended
    await startServer(['--data', data])
    expect(await readFile(file, 'utf8')).toBe(secret)
  })

  test('that others could read is taken from them', async () => {
    const data = await temporaryFolder()
    await writeFile(join(data, 'secret'), SECRET, { mode: 0o644 })
    await startServer(['--data', data])
    expect(await modeOf(join(data, 'secret'))).toBe(0o600)
  })

  test('that others could write, that is a link, or too short, is refused', async () => {
    const data = await temporaryFolder()
    const file = join(data, 'secret')
    await writeFile(file, SECRET)
    await chmod(file, 0o666)
    await expectRefusal(
      ['--data', data],
      `Other users can write to the file ${file}: remove it, and a new one is made.`,
    )

    await writeFile(join(data, 'elsewhere'), SECRET, { mode: 0o600 })
    const linked = join(data, 'linked')
    await mkdir(linked)
    await symlink(join(data, 'elsewhere'), join(linked, 'secret'))
    await expectRefusal(['--data', linked], `The data folder ${linked} cannot be used: a link is in the way.`)

    const short = join(data, 'short')
    await mkdir(short)
    await writeFile(join(short, 'secret'), 'short\n', { mode: 0o600 })
    await expectRefusal(
      ['--data', short],
      /short\/secret must hold secrets of at least 32 characters each, with a comma between two\.$/,
    )
  })

  test.runIf(isRoot)('of another user is refused', async () => {
    const data = await temporaryFolder()
    await writeFile(join(data, 'secret'), SECRET, { mode: 0o600 })
    await chown(join(data, 'secret'), NOBODY, NOBODY)
    await expectRefusal(
      ['--data', data],
      `The file ${join(data, 'secret')} belongs to another user: remove it.`,
    )
  })

  test('missing in production, or short, refuses to start', async () => {
    const data = await temporaryFolder()
    await expectRefusal(['--data', data], /^MAPAE_SECRET is missing: in production /, {
      env: { NODE_ENV: 'production' },
    })
    const short = 'MAPAE_SECRET must hold secrets of at least 32 characters each, with a comma between two.'
    await expectRefusal(['--data', data], short, { env: { MAPAE_SECRET: 'short-but-quite-secret' } })
    await expectRefusal(['--data', data], short, {
      env: { MAPAE_SECRET: `${SECRET},short-but-quite-secret` },
    })
  })

  test('in production starts without a tour, and says when it goes by the name of localhost', async () => {
    const env = { NODE_ENV: 'production', MAPAE_SECRET: SECRET }
    const data = await temporaryFolder()
    const server = await startServer(['--data', data], { env })
    expect(server.printed.stdout).not.toContain('curl')
    await expect.poll(() => server.printed.stderr).toMatch(/^MAPAE_URL is not set: /)
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  })
})

describe('what cannot be', () => {
  test('a taken port', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const { port } = other.address() as AddressInfo
    await expectRefusal(
      ['--port', String(port)],
      `Port ${port} is taken: stop what listens there, or choose another with --port.`,
    )
  })

  test('an address that this machine does not have', async () => {
    await expectRefusal(
      ['--host', '192.0.2.1'],
      'This machine has no address "192.0.2.1": choose another with --host.',
    )
  })

  test('a data folder that is a file', async () => {
    const file = join(await temporaryFolder(), 'file')
    await writeFile(file, '')
    await expectRefusal(['--data', file], `The data folder ${file} cannot be used: a file is in the way.`)
  })

  test.skipIf(!canDropPrivileges)('a data folder that is not ours to write', async () => {
    const folder = await openFolder()
    await chmod(folder, 0o555)
    onTestFinished(() => chmod(folder, 0o755))
    const sentence = `The data folder ${folder} cannot be used: permission is denied.`
    await expectRefusal(['--data', folder], sentence, unprivileged)
  })

  test.skipIf(!canDropPrivileges)('a database in a folder that is not ours to write', async () => {
    const folder = await openFolder()
    await chmod(folder, 0o555)
    onTestFinished(() => chmod(folder, 0o755))
    const file = join(folder, 'mapae.db')
    await expectRefusal(
      ['--database', `sqlite:${file}`],
      `The database sqlite:${file} cannot be used: permission is denied.`,
      { env: { MAPAE_SECRET: SECRET }, ...unprivileged },
    )
  })

  test('a database file that is none', async () => {
    const data = await temporaryFolder()
    await writeFile(join(data, 'mapae.db'), 'This is no database.'.repeat(100))
    await expectRefusal(
      ['--data', data],
      `The database sqlite:${join(data, 'mapae.db')} cannot be used: file is not a database.`,
    )
  })

  test.each([
    [['--url', 'auth.example.com'], 'The option url: must be an absolute URL.'],
    [['--url', 'http://auth.example.com'], 'The option url: must be https unless the host is localhost.'],
    [
      ['--url', 'https://example.com/auth'],
      'The option url: must be an origin, with no path, query or user.',
    ],
    [['--allowed-origin', 'https://a.example/'], /^The option allowedOrigins: must hold origins/],
    [['--session-lifetime', '60'], 'The option sessionIdleLifetime: must not exceed sessionLifetime.'],
    [['--database', 'mysql://u:hidden@h/d'], 'The option database: must be sqlite:<file> or postgres://….'],
    [['--database', 'sqlite::memory:'], 'The option database: must be sqlite:<file> or postgres://….'],
  ])('the option %j', async (args, sentence) => {
    await expectRefusal(args, sentence, { env: { MAPAE_SECRET: SECRET } })
  })

  test.each([
    [
      'postgres://u:hidden@127.0.0.1:1/d',
      /postgres:\/\/127\.0\.0\.1:1\/d cannot be used: connect ECONNREFUSED/,
    ],
    [
      'postgres://u:hidden@localhost:99999/d?password=hidden',
      /^The database postgres:\/\/… cannot be used: /,
    ],
    ['postgres://u:hid den@[h/d', /^The database postgres:\/\/… cannot be used: /],
    ['postgres://u:hidden@h.invalid/d?password=hidden', /postgres:\/\/h\.invalid\/d cannot be used: /],
  ])('a PostgreSQL that is not there (%s), and its password is told to nobody', async (url, sentence) => {
    const { stderr } = await expectRefusal(['--database', url], sentence, { env: { MAPAE_SECRET: SECRET } })
    expect(stderr).not.toMatch(/hid ?den/)
  })

  test('a PostgreSQL that does not know us', async () => {
    const url = new URL(inject('postgresUrl'))
    url.password = 'hidden-and-wrong'
    const { stderr } = await expectRefusal(
      ['--database', url.href],
      /cannot be used: password authentication failed for user "postgres"\.$/,
      { env: { MAPAE_SECRET: SECRET } },
    )
    expect(stderr).not.toContain('hidden')
  })

  test('a PostgreSQL that accepts and says nothing: after five seconds', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => void silent.close())
    const { port } = silent.address() as AddressInfo
    await expectRefusal(['--database', `postgres://127.0.0.1:${port}/d`], /cannot be used: /, {
      env: { MAPAE_SECRET: SECRET },
    })
  })
})

/** One sentence, no stack, exit code 1, nothing on standard output. */
async function expectRefusal(args: readonly string[], sentence: string | RegExp, how: How = {}) {
  const data = args.includes('--data') ? [] : ['--data', await temporaryFolder()]
  const port = args.includes('--port') ? [] : ['--port', '0']
  const outcome = await mapae(['start', ...args, ...data, ...port], how)
  const [line, ...rest] = outcome.stderr.split('\n')
  expect([outcome.code, outcome.stdout, rest]).toEqual([1, '', ['']])
  if (typeof sentence === 'string') expect(line).toBe(sentence)
  else expect(line).toMatch(sentence)
  return outcome
}

/** A folder that other users may enter. */
async function openFolder(): Promise<string> {
  const folder = await temporaryFolder()
  await chmod(folder, 0o755)
  return folder
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777
}
