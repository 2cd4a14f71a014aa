import { once } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { query } from '../../server/test/read-database.ts'
import { mapaeHere, type Where } from './here.ts'
import { mapae, spawnMapae, startServer, temporaryFolder } from './mapae.ts'

const PASSWORD = 'correct horse battery'
const EMAIL = 'me@example.com'
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1'

describe.each(databases)('sessions and audit on $name', (database) => {
  test('what happened to a session is shown: exactly, with generations and numbers', async () => {
    const { here, post } = await place()
    const first = await post('/auth/register', { email: EMAIL, password: PASSWORD })
    const second = await post('/auth/refresh', first, first.access_token)
    const third = await post('/auth/refresh', second, second.access_token)
    await post('/auth/refresh', third, third.access_token)
    const kept = await post('/auth/login', { email: EMAIL, password: PASSWORD })
    await post('/auth/refresh', first, first.access_token)

    const listed = (await here(['sessions', 'list', EMAIL])).stdout.split('\n')
    expect(listed).toEqual([
      'Logged in (1):',
      expect.stringMatching(
        new RegExp(`^${kept.session_id}  Safari on iPhone  \\S+ .* opened .* used .* ends in 30 days$`),
      ),
      '',
      'Ended (1):',
      expect.stringMatching(
        new RegExp(`^${first.session_id}  Safari on iPhone  .* ended .*: refresh_token_reuse$`),
      ),
      '',
    ])
    const { stdout } = await here(['sessions', 'show', first.session_id])
    expect(stdout).toMatch(/^generation {2}4$/m)
    expect(stdout).toMatch(/^because {5}refresh_token_reuse$/m)
    const time = '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} [+-]\\d\\d:\\d\\d'
    for (const line of [
      `#\\d+ +${time}  login.succeeded +self +Safari on iPhone +\\S+`,
      `#\\d+ +${time}  session.reuse_detected +someone +Safari on iPhone +\\S+ +current=4 presented=1`,
      `#\\d+ +${time}  session.ended +someone +Safari on iPhone +\\S+ +reason=refresh_token_reuse`,
    ])
      expect(stdout).toMatch(new RegExp(`^${line}$`, 'm'))
    const json = JSON.parse((await here(['sessions', 'show', first.session_id, '--json'])).stdout)
    expect(json.session).toMatchObject({ id: first.session_id, end_reason: 'refresh_token_reuse' })
    expect(json.audit.map(({ type }: { type: string }) => type)).toEqual([
      'login.succeeded',
      'session.reuse_detected',
      'session.ended',
    ])
    const both = JSON.parse((await here(['sessions', 'list', EMAIL, '--json'])).stdout)
    expect([both.sessions.length, both.ended_sessions.length]).toEqual([1, 1])
  })

  test('a session is ended in the name of the command, once', async () => {
    const { here, post, url } = await place()
    const { access_token, session_id } = await post('/auth/register', { email: EMAIL, password: PASSWORD })
    const end = () => here(['sessions', 'end', session_id])
    expect(await end()).toMatchObject({ code: 0, stdout: `The session ${session_id} has ended.\n` })
    expect((await end()).stdout).toBe(`The session ${session_id} had ended before.\n`)
    const me = await fetch(`${url}/auth/me`, { headers: { authorization: `Bearer ${access_token}` } })
    expect(await me.json()).toMatchObject({ code: 'session_ended', end_reason: 'ended_by_admin' })
    expect((await here(['sessions', 'show', session_id])).stdout).toMatch(
      /session\.ended +admin command +reason=ended_by_admin$/m,
    )
    expect((await here(['sessions', 'list', EMAIL])).stdout).toMatch(
      /^It is logged in nowhere\.\n\nEnded \(1\)/,
    )
    for (const command of ['show', 'end'])
      expect(await here(['sessions', command, 'none\u009b'])).toMatchObject({
        code: 1,
        stdout: '',
        stderr: 'There is no session "none\\u009b", or it was swept away.\n',
      })
  })

  test('the sessions of an account are ended together, and those of everybody', async () => {
    const { here, post } = await place()
    const others = await post('/auth/register', { username: 'somebody', password: PASSWORD })
    await post('/auth/register', { email: EMAIL, password: PASSWORD })
    await post('/auth/login', { email: EMAIL, password: PASSWORD })
    const end = (...args: string[]) => here(['sessions', 'end', ...args])
    expect(await end('--user', EMAIL)).toMatchObject({ code: 0, stdout: '2 sessions have ended.\n' })
    expect((await end('--all')).stdout).toBe('1 session has ended.\n')
    expect((await end('--all')).stdout).toBe('0 sessions have ended.\n')
    expect((await here(['sessions', 'show', others.session_id])).stdout).toMatch(
      /because {5}ended_by_admin$/m,
    )
    expect(await end('--user', 'nobody')).toMatchObject({
      code: 1,
      stderr: 'There is no account "nobody".\n',
    })
    for (const args of [[], [others.session_id, '--all'], ['--all', '--user', EMAIL]])
      expect(await end(...args)).toMatchObject({
        code: 2,
        stderr: 'mapae sessions end needs one of SESSION, --user and --all. See mapae sessions end --help.\n',
      })
  })

  test('what a device says of itself reaches the terminal escaped', async () => {
    const { here, post } = await place()
    const { session_id } = await post(
      '/auth/register',
      { email: EMAIL, password: PASSWORD },
      undefined,
      'evil\u009b[8m',
    )
    for (const args of [
      ['sessions', 'list', EMAIL],
      ['sessions', 'show', session_id],
      ['users', 'show', EMAIL],
    ]) {
      const { stdout } = await here(args, { tty: true, environment: { NO_COLOR: '1' } })
      expect(stdout).toContain('evil\\u009b[8m')
      expect(stdout).not.toMatch(/[^\P{C}\n]/u)
    }
  })

  test('the audit log is printed a JSON object a line, and can be filtered', async () => {
    const { here, post } = await place()
    await post('/auth/register', { email: EMAIL, password: PASSWORD })
    await post('/auth/login', { email: EMAIL, password: 'a wrong horse battery' })
    await here(['users', 'disable', EMAIL])
    const lines = async (...flags: string[]) => {
      const { code, stdout, stderr } = await here(['audit', 'export', ...flags])
      expect([code, stderr]).toEqual([0, ''])
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    }
    const all = await lines()
    expect(all.map(({ type, actor, by }) => [type, actor, by])).toEqual([
      ['signing_key.made', 'system', null],
      ['account.registered', 'self', null],
      ['login.succeeded', 'self', null],
      ['login.failed', 'someone', null],
      ['account.disabled', 'admin', 'command'],
      ['session.ended', 'admin', 'command'],
    ])
    expect(all[2]).toMatchObject({ device: 'Safari on iPhone', network: expect.stringMatching(/\/(24|48)$/) })
    expect(JSON.stringify(all)).not.toContain('@')
    const types = async (...flags: string[]) => (await lines(...flags)).map(({ type }) => type)
    expect(await types('--type', 'login.failed', '--type', 'signing_key.made')).toEqual([
      'signing_key.made',
      'login.failed',
    ])
    expect(await types('--user', EMAIL, '--type', 'login.failed')).toEqual(['login.failed'])
    expect(await types('--user', all[1].account_id)).toHaveLength(5)
    expect(await types('--since', '1h')).toHaveLength(6)
    expect(await types('--since', '2999-01-01')).toEqual([])

    await here(['users', 'delete', '--yes', EMAIL])
    expect(await types('--user', all[1].account_id)).toContain('account.deleted')
  })

  test('thousands of lines come in order, page by page, to whoever reads them', async () => {
    const { flags, here, database } = await place()
    await query(
      database,
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < 2500)
        insert into audit (at, type, detail) select i, 'account.imported', '{}' from n`,
    )
    const { stdout } = await here(['audit', 'export', '--type', 'account.imported'])
    const seqs = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).seq)
    expect(new Set(seqs).size).toBe(2500)
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))

    const impatient = spawnMapae(['audit', 'export', ...flags])
    await once(impatient.child.stdout, 'data')
    impatient.child.stdout.destroy()
    expect(await impatient.ended).toMatchObject({ code: 0, stderr: '' })
  })

  test('what comes is printed as it comes, once, until nobody reads', async () => {
    const { flags, post } = await place()
    await post('/auth/register', { email: EMAIL, password: PASSWORD })
    const following = spawnMapae([
      'audit',
      'export',
      '--follow',
      '--type',
      'login.succeeded',
      '--type',
      'login.failed',
      ...flags,
    ])
    const printed = async (count: number) => {
      for (;;) {
        const lines = following.printed.stdout.split('\n').filter(Boolean)
        if (lines.length >= count) return lines.map((line) => JSON.parse(line).type)
        await once(following.child.stdout, 'data')
      }
    }
    expect(await printed(1)).toEqual(['login.succeeded'])
    await post('/auth/login', { email: EMAIL, password: 'a wrong horse battery' })
    expect(await printed(2)).toEqual(['login.succeeded', 'login.failed'])
    await post('/auth/login', { email: EMAIL, password: PASSWORD })
    expect(await printed(3)).toEqual(['login.succeeded', 'login.failed', 'login.succeeded'])
    following.child.kill('SIGINT')
    expect(await following.ended).toMatchObject({ stderr: '' })
  })

  /** A server that runs, and the command on its database. */
  async function place() {
    const data = await temporaryFolder()
    const opened = database.name === 'postgres' ? await database.open() : undefined
    if (opened) onTestFinished(() => opened.close())
    const flags = ['--data', data, ...(opened ? ['--database', opened.url] : [])]
    const { url } = await startServer([...flags, '--reuse-interval', '0'])
    const post = async (path: string, body: unknown, token?: string, agent = IPHONE) => {
      const headers = {
        'content-type': 'application/json',
        'user-agent': agent,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      }
      const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
      return JSON.parse(await answer.text())
    }
    const here = (args: readonly string[], where: Where = {}) => mapaeHere([...args, ...flags], where)
    return {
      flags,
      here,
      post,
      url,
      database: opened ?? { url: `sqlite:${data}/mapae.db`, close: async () => {} },
    }
  }
})

describe('what cannot be exported', () => {
  test.each([
    [['--since', 'yesterday'], /^--since must be like 2026-11-25, .* not "yesterday"\.$/],
    [['--since', '2026-13-45'], /^--since must be like/],
    [['--since', ''], /^--since must be like/],
    [
      ['--type', 'login.faild'],
      'The audit log has no lines of the type "login.faild"; did you mean login.failed?',
    ],
    [['--type', 'mail.failed'], /^The audit log has no lines of the type "mail\.failed"/],
  ])('%j is refused in one sentence', async (args, sentence) => {
    const folder = await temporaryFolder()
    const { code, stdout, stderr } = await mapae(['audit', 'export', '--data', folder, ...args])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr.trimEnd()).toMatch(sentence)
  })
})
