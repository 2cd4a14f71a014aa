import { readFile } from 'node:fs/promises'
import { type AuthEvent, type EventType, endReasons, eventTypes } from '@mapae/server'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { startBoundClient } from './bound-client.ts'
import { type MailingAuth, startMailingAuth } from './mailbox.ts'
import { query, readEverything, readTables } from './read-database.ts'
import { PASSWORD, someEmail, startAuth } from './start-auth.ts'

/** Where a request of a test comes from: none of it but the network may be written down. */
const ADDRESS = '203.0.113.77'
const APP = 'https://app.example'

/** One story for each event that there is; a new type without one does not compile. */
const stories: Readonly<Record<EventType, (server: MailingAuth) => Promise<unknown>>> = {
  'account.registered': (server) => server.register({}, { address: ADDRESS }),
  'account.imported': ({ auth }) => auth.api.importUsers([{ username: 'brought' }]),
  'account.disabled': async (server) => server.auth.api.disableUser(await newUser(server)),
  'account.enabled': async (server) => {
    const id = await newUser(server)
    await server.auth.api.disableUser(id)
    await server.auth.api.enableUser(id)
  },
  'account.unlocked': async (server) => {
    const { user } = (await server.register({ username: 'held-up' })).json
    await server.login({ identifier: 'held-up', password: 'a wrong password' }, { address: ADDRESS })
    await server.auth.api.unlockUser(user.id)
  },
  'account.deleted': async (server) => {
    const { access_token: token } = (await server.register()).json
    await server.call('DELETE', '/auth/me', { token, body: { password: PASSWORD }, address: ADDRESS })
  },
  'account.granted': async (server) =>
    server.auth.api.grant({ id: await newUser(server), roles: ['clerk'], scopes: ['read'] }),
  'account.grants_withdrawn': async (server) => {
    const id = await newUser(server)
    await server.auth.api.grant({ id, roles: ['clerk'] })
    await server.auth.api.withdraw({ id, roles: ['clerk'] })
  },
  'account.profile_changed': async (server) => {
    const { access_token: token } = (await server.register()).json
    await server.call('PATCH', '/auth/me', { token, body: { nickname: 'Privatus' }, address: ADDRESS })
  },
  'email.verified': async (server) => {
    const { access_token: token, verification: code } = await server.person()
    await server.call('POST', '/auth/email/verify', { token, body: { code }, address: ADDRESS })
  },
  'email.change_asked': askForAnotherAddress,
  'email.changed': async (server) => {
    const { token, email } = await askForAnotherAddress(server)
    const code = await server.codeTo(email, '/verify-email')
    await server.call('POST', '/auth/email/verify', { token, body: { code }, address: ADDRESS })
  },
  'password.changed': async (server) => {
    const { access_token: token } = (await server.register()).json
    const body = { current_password: PASSWORD, new_password: 'another horse battery' }
    await server.call('POST', '/auth/password', { token, body, address: ADDRESS })
  },
  'password.reset_asked': askForReset,
  'password.reset': async (server) => {
    const code = await server.codeTo(await askForReset(server), '/reset-password')
    const body = { code, password: 'another horse battery' }
    await server.call('POST', '/auth/password/reset', { body, address: ADDRESS })
  },
  'reauthentication.failed': async (server) => {
    const { access_token: token } = (await server.register()).json
    const body = { current_password: 'a wrong horse battery', new_password: 'another horse battery' }
    await server.call('POST', '/auth/password', { token, body, address: ADDRESS })
  },
  'login.failed': (server) => server.login({ identifier: 'nobody@example.com' }, { address: ADDRESS }),
  'login.spraying_seen': async (server) => {
    for (let time = 0; time < 50; time++)
      await server.login({ identifier: `nobody-${time}` }, { address: ADDRESS })
  },
  'try.refused': async (server) => {
    for (let time = 0; time < 11; time++)
      await server.login({ identifier: 'nobody@example.com' }, { address: ADDRESS })
  },
  'login.succeeded': (server) => server.register({}, { address: ADDRESS }),
  'session.moved': async (server) => {
    const { json } = await server.register({}, { address: '198.51.100.1' })
    await server.refresh(json, { address: ADDRESS })
  },
  'session.ended': async (server) => {
    const { access_token: token } = (await server.register()).json
    await server.call('POST', '/auth/logout', { token, address: ADDRESS })
  },
  'session.reuse_detected': async (server) => {
    const { json } = await server.register()
    const second = await server.refresh(json)
    await server.refresh(second.json)
    await server.refresh(json, { address: ADDRESS })
  },
  'session.line_shared': async (server) => {
    let { json } = await server.register()
    for (let renewal = 0; renewal < 3; renewal++) {
      const next = await server.refresh(json)
      await server.refresh(json, { address: ADDRESS })
      json = next.json
    }
  },
  'session.fetched_without_attempt': async (server) => {
    const { json } = await server.register()
    await server.refresh(json)
    await server.refresh(json, { address: ADDRESS })
  },
  'session.adopted': async (server) => {
    const first = (await server.register()).json
    const second = (await server.refresh(first)).json
    const [row] = await query(server.database, `select refresh_hash from sessions`)
    const third = (await server.refresh(second)).json
    await query(
      server.database,
      `update sessions set generation = 2, refresh_hash = '${row?.['refresh_hash']}', attempt_hash = null`,
    )
    await server.refresh(third, { address: ADDRESS })
  },
  'session.access_token_mismatch': async (server) => {
    const [{ json: mine }, { json: other }] = [await server.register(), await server.register()]
    await server.refresh({ ...mine, access_token: other.access_token }, { address: ADDRESS })
  },
  'session.access_token_withdrawn': async (server) => {
    const { json } = await server.register()
    await server.auth.api.rotateKeys({ signsNow: true })
    await query(
      server.database,
      `update signing_keys set withdrawn_at = case when kid = '${kidOf(json.access_token)}' then 1 end`,
    )
    server.clock.advance(11)
    await server.refresh(json, { address: ADDRESS })
  },
  'session.stale_inline_renewal': async (server) => {
    const first = (await server.register()).json
    const second = (await server.refresh(first)).json
    await server.refresh(second)
    server.clock.advance(301)
    const sent: Readonly<Record<string, string>> = {
      authorization: `Bearer ${first.access_token}`,
      'mapae-refresh-token': first.refresh_token,
      'x-forwarded-for': ADDRESS,
    }
    await server.auth.renew({ method: 'GET', header: (name) => sent[name.toLowerCase()] })
  },
  'session.proof_refused': async (server) => {
    const owner = await startBoundClient(server)
    await server.refresh((await owner.register()).json, { address: ADDRESS })
  },
  'signing_key.made': ({ auth }) => auth.api.rotateKeys(),
  'signing_key.withdrawn': async (server) => {
    await server.auth.api.withdrawKey(kidOf((await server.register()).json.access_token) ?? '')
  },
  'access_token.large': async (server) => {
    await alongside(server, { claims: () => ({ [`${APP}/words`]: 'word '.repeat(100) }) })
  },
  'mail.failed': async (server) => {
    server.mailbox.breakDown(() => new Error('somebody@example.com'))
    await server.register()
    await server.auth.api.sendMails()
  },
  'mail.dropped': async (server) => {
    server.mailbox.breakDown(() => Object.assign(new Error('somebody@example.com'), { permanent: true }))
    await server.register()
    await server.auth.api.sendMails()
  },
  error: (server) =>
    alongside(server, {
      claims: () => {
        throw new Error('the app is broken')
      },
    }),
}

describe.each(databases)('on $name', (database) => {
  test.each(Object.entries(stories))('%s is told, and written down if it is to be', async (type, story) => {
    const server = await startMailingAuth(database, { trustProxy: 1 })
    await story(server)
    const heard: AuthEvent | undefined = server.events.findLast((event) => event.type === type)
    expect(heard).toBeDefined()
    const facts = typeOf(type)
    expect(heard && 'sessionId' in heard, 'a session is named').toBe(facts.about === 'session')
    expect(Object.keys(facts.detail ?? {}), 'its detail is documented').toEqual(
      expect.arrayContaining(Object.keys((heard && 'detail' in heard && heard.detail) || {})),
    )

    const { audit = [] } = await readTables(server.database)
    const written = audit.filter((row) => row['type'] === type).at(-1)
    if (facts.kept === 'told') return expect(written).toBeUndefined()
    expect(written).toMatchObject({
      account_id: (heard && 'accountId' in heard && heard.accountId) || null,
      session_id: (heard && 'sessionId' in heard && heard.sessionId) || null,
      actor: expect.stringMatching(/^(self|someone|admin|system)$/),
    })
    expect(Number(written?.['at'])).toBe(heard?.at)
    expect(JSON.parse(String(written?.['detail']))).toEqual(
      (heard && 'detail' in heard && heard.detail) || {},
    )
    expect(written?.['done_by']).toBe(written?.['actor'] === 'admin' ? 'api' : null)
    const byRequest = facts.actor !== 'admin' && facts.about !== 'server'
    expect(written?.['network'], 'from where').toBe(byRequest ? '203.0.113.0/24' : null)
    expect(JSON.stringify(audit)).not.toMatch(/@|mrt_|eyJ[\w-]+\.|Privatus|203\.0\.113\.77/)
    expect(await readEverything(server.database)).not.toContain(ADDRESS)
  })

  test('a hook that throws, rejects or hangs changes no answer', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => printed.mockRestore())
    const hooks = [
      () => {
        throw new Error('thrown by the hook')
      },
      () => Promise.reject(new Error('rejected by the hook')),
      () => new Promise<void>(() => {}),
    ]
    for (const onEvent of hooks) {
      const server = await startMailingAuth(database, { onEvent })
      const { status, json } = await server.register()
      expect(status).toBe(201)
      expect((await server.refresh(json)).status).toBe(200)
      expect((await server.call('POST', '/auth/logout', { token: json.access_token })).status).toBe(204)
    }
    expect(String(printed.mock.calls)).toContain('thrown by the hook')
    expect(String(printed.mock.calls)).toContain('rejected by the hook')
  })
})

describe('docs/events.md', () => {
  test('lists every event, as the table of the code has it', async () => {
    expect(await page()).toContain(
      table(['Event', 'Who', 'Kept', 'What happened'], Object.keys(eventTypes).map(eventRow)),
    )
  })

  test('lists every reason that a session can end for', async () => {
    const rows = Object.entries(endReasons).map(([reason, { means }]) => [`\`${reason}\``, means])
    expect(await page()).toContain(table(['`end_reason`', 'What the person is told'], rows))
  })
})

const page = () => readFile(new URL('../../../docs/events.md', import.meta.url), 'utf8')

function eventRow(type: string): string[] {
  const { actor, kept, means, detail = {} } = typeOf(type)
  const members = Object.entries(detail).map(([name, what]) => `\`${name}\`: ${what}`)
  const more = members.length === 0 ? '' : ` ${members.join('; ')}.`
  const words = { audit: 'audit log', timeline: 'audit log, time line', told: 'no: `onEvent` alone' }
  return [`\`${type}\``, `\`${actor}\``, words[kept], means + more]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('')
}

interface Facts {
  readonly about: string
  readonly actor: string
  readonly kept: 'audit' | 'timeline' | 'told'
  readonly means: string
  readonly detail?: Readonly<Record<string, string>>
}

function typeOf(type: string): Facts {
  const facts = Object.entries<Facts>(eventTypes).find(([name]) => name === type)?.[1]
  if (!facts) throw new Error(`there is no event ${type}`)
  return facts
}

async function newUser({ auth }: MailingAuth): Promise<string> {
  return (await auth.api.createUser({ email: someEmail(), password: PASSWORD })).id
}

async function askForAnotherAddress(server: MailingAuth): Promise<{ token: string; email: string }> {
  const { access_token: token } = await server.person()
  const email = someEmail()
  await server.call('POST', '/auth/email/change', {
    token,
    body: { email, password: PASSWORD },
    address: ADDRESS,
  })
  return { token, email }
}

async function askForReset(server: MailingAuth): Promise<string> {
  const { email } = await server.person()
  await server.call('POST', '/auth/password/forgot', { body: { email }, address: ADDRESS })
  await server.auth.api.sendMails()
  return email
}

/** A login on another server of the same database, with options of its own. */
async function alongside(server: MailingAuth, options: Parameters<typeof startAuth>[1]): Promise<void> {
  const other = await startAuth(server.database, {
    clock: server.clock.now,
    onEvent: (event) => void server.events.push(event),
    ...options,
  })
  await other.register()
}

function kidOf(token: string): string {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid
}
