import type { AuthEvent, Mailer } from '@mapae/server'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { deleteExpiredCodes } from '../src/store/codes.ts'
import { deleteExpiredMails } from '../src/store/mails.ts'
import { openStore, parseDatabaseAddress } from '../src/store/open-store.ts'
import { type MailingAuth, startMailbox, startMailingAuth } from './mailbox.ts'
import { query, readTables } from './read-database.ts'
import { atTheEnd, SECRET, someEmail, startAuth } from './start-auth.ts'

/** A mailer that is still at its first mail when the test is over. */
function neverWithinTheTest(): Mailer {
  let finish = () => {}
  const over = new Promise<void>((resolve) => {
    finish = resolve
  })
  onTestFinished(() => finish())
  return () => over
}

const refusedWith = (facts: Record<string, unknown>) => () =>
  Object.assign(new Error('550 <somebody@example.com>: no such mailbox'), facts)

describe.each(databases)('the mail queue, on $name', (database) => {
  let server: MailingAuth
  beforeEach(async () => {
    server = await startMailingAuth(database)
  })

  const waiting = async () => (await readTables(server.database))['mails'] ?? []
  const mailEvents = (events: readonly AuthEvent[]) =>
    events.filter(({ type }) => type === 'mail.failed' || type === 'mail.dropped')
  const forgot = (email: string) => server.call('POST', '/auth/password/forgot', { body: { email } })

  test('is worked off by itself, after the answer', async () => {
    const email = someEmail()
    await server.register({ email })
    await vi.waitFor(() => expect(server.mailbox.sent.map(({ to }) => to)).toEqual([email]))
    await vi.waitFor(async () => expect(await waiting()).toEqual([]))
  })

  test('holds nobody up: an answer does not wait for its mail', async () => {
    const slow = await startMailingAuth(database, { mailer: neverWithinTheTest() })
    expect((await slow.register()).status).toBe(201)
    expect((await slow.call('GET', '/readyz')).status).toBe(200)
  })

  test('keeps a mail that failed and tries again after 1, 2, 4 … minutes', async () => {
    server.mailbox.breakDown(refusedWith({ code: 'ECONNECTION' }))
    const email = someEmail()
    await server.register({ email })
    await server.auth.api.sendMails()
    for (const [index, minutes] of [1, 2, 4, 8, 16, 32, 60, 60].entries()) {
      server.clock.advance(minutes * 60 - 1)
      await server.auth.api.sendMails()
      expect(mailEvents(server.events), 'not earlier').toHaveLength(index + 1)
      server.clock.advance(1)
      await server.auth.api.sendMails()
      expect(mailEvents(server.events).at(-1)).toEqual({
        type: 'mail.failed',
        at: server.clock.now(),
        detail: { attempt: index + 2, reason: 'ECONNECTION' },
      })
    }
    server.mailbox.breakDown()
    server.clock.advance(3600)
    expect(await server.mailsTo(email)).toHaveLength(1)
    expect(await waiting()).toEqual([])
  })

  test('keeps the code of an errand over its retries', async () => {
    const { email } = await server.person()
    server.mailbox.breakDown(refusedWith({ code: 'ETIMEDOUT' }))
    await forgot(email)
    await server.auth.api.sendMails()
    const [code] = await query(server.database, "select hash from codes where purpose = 'reset-password'")
    server.mailbox.breakDown()
    server.clock.advance(60)
    expect(await server.mailsTo(email)).toHaveLength(1)
    expect(await query(server.database, "select hash from codes where purpose = 'reset-password'")).toEqual([
      code,
    ])
  })

  test('gives a mail up when its code has expired, and says so', async () => {
    const { email } = await server.person()
    server.mailbox.breakDown(refusedWith({ code: 'ECONNECTION' }))
    await forgot(email)
    await server.auth.api.sendMails()
    server.clock.advance(3600)
    server.mailbox.breakDown()
    expect(await server.mailsTo(email)).toEqual([])
    expect(mailEvents(server.events).at(-1)).toMatchObject({
      type: 'mail.dropped',
      detail: { attempt: 2, reason: 'expired' },
    })
    expect(await waiting()).toEqual([])
  })

  test('gives a mail up that was refused for good', async () => {
    server.mailbox.breakDown(refusedWith({ code: 'EENVELOPE', responseCode: 550, permanent: true }))
    await server.register()
    await server.auth.api.sendMails()
    expect(mailEvents(server.events)).toEqual([
      {
        type: 'mail.dropped',
        at: server.clock.now(),
        detail: { attempt: 1, reason: 'EENVELOPE 550' },
      },
    ])
    expect(await waiting()).toEqual([])
  })

  test.each([
    undefined,
    null,
    'a string with somebody@example.com',
    { code: 'somebody@example.com', responseCode: {} },
    new Error('somebody@example.com'),
  ])('tells no address, whatever a mailer throws: %j', async (thrown) => {
    server.mailbox.breakDown(() => thrown)
    await server.register()
    await server.auth.api.sendMails()
    expect(JSON.stringify(server.events)).not.toContain('@')
    expect(mailEvents(server.events)).toMatchObject([{ type: 'mail.failed', detail: { reason: 'unknown' } }])
  })

  test('of two replicas sends each mail once', async () => {
    const other = startMailbox()
    const replica = await startAuth(server.database, { clock: server.clock.now, mailer: other.mailer })
    await replica.auth.ready()
    const people = Array.from({ length: 12 }, someEmail)
    await Promise.all(people.map((email, index) => (index % 2 ? server : replica).register({ email })))
    await Promise.all([server, replica, server, replica].map(({ auth }) => auth.api.sendMails()))
    const sent = [...server.mailbox.sent, ...other.sent].map(({ to }) => to)
    expect(sent.toSorted()).toEqual(people.toSorted())
    expect(await waiting()).toEqual([])
  })

  test('is taken over from a replica that was killed while it sent', async () => {
    const dying = await startAuth(server.database, { clock: server.clock.now, mailer: neverWithinTheTest() })
    const email = someEmail()
    await dying.register({ email })
    await vi.waitFor(async () => expect(await waiting()).toMatchObject([{ attempts: 1 }]))
    expect(await server.mailsTo(email), 'while it may be at it').toEqual([])
    server.clock.advance(60)
    expect(await server.mailsTo(email)).toHaveLength(1)
  })

  test('survives a stop: what is not sent waits for the next start', async () => {
    server.mailbox.breakDown(refusedWith({ code: 'ECONNECTION' }))
    const email = someEmail()
    await server.register({ email })
    await server.auth.close()
    server.clock.advance(60)
    const next = startMailbox()
    const restarted = await startAuth(server.database, { clock: server.clock.now, mailer: next.mailer })
    await restarted.auth.ready()
    await vi.waitFor(() => expect(next.sent.map(({ to }) => to)).toEqual([email]))
  })

  test('is read with an older secret, and left alone by who does not know it', async () => {
    server.mailbox.breakDown(refusedWith({ code: 'ECONNECTION' }))
    const email = someEmail()
    await server.register({ email })
    await server.auth.close()
    const newer = 'a newer server secret, 32 characters or more'

    const stranger = await startAuth(server.database, {
      clock: server.clock.now,
      mailer: startMailbox().mailer,
      secret: newer,
    })
    server.clock.advance(60)
    expect(await stranger.auth.api.sendMails()).toBe(0)
    expect(mailEvents(stranger.events)).toMatchObject([
      { type: 'mail.failed', detail: { attempt: 2, reason: 'UNKNOWN_SECRET' } },
    ])
    const next = startMailbox()
    const restarted = await startAuth(server.database, {
      clock: server.clock.now,
      mailer: next.mailer,
      secret: [newer, SECRET],
    })
    server.clock.advance(120)
    expect(await restarted.auth.api.sendMails()).toBe(1)
  })

  test('cannot be filled by strangers: with 10,000 waiting it answers 503', async () => {
    await server.auth.ready()
    const wait = (id: string, from = '') =>
      query(
        server.database,
        `insert into mails (id, sealed, attempts, created_at, due_at, expires_at)
         select ${id}, 'x', 0, 0, ${Number.MAX_SAFE_INTEGER}, ${Number.MAX_SAFE_INTEGER} ${from}`,
      )
    await wait(
      "'waiting ' || i",
      'from (with recursive n(i) as (select 1 union all select i + 1 from n where i < 9999) select i from n) as numbers',
    )
    expect((await forgot(someEmail())).status).toBe(202)
    await server.auth.api.sendMails()
    await wait("'the last'")
    const answer = await forgot(someEmail())
    expect([answer.status, answer.json.code]).toEqual([503, 'busy'])
    expect(answer.headers.get('retry-after')).toBe('1')
    expect((await server.register()).status, 'who registers is not turned away').toBe(201)
  })

  test('and old codes are swept in small batches', async () => {
    await server.person()
    await server.person()
    server.mailbox.breakDown(refusedWith({ code: 'ECONNECTION' }))
    await server.register()
    await server.auth.api.sendMails()
    const address = parseDatabaseAddress(server.database.url)
    if (!address) throw new Error('no address')
    const store = openStore(address, 'mapae')
    atTheEnd(() => store.db.destroy())
    const now = server.clock.now()
    expect(await deleteExpiredCodes(store.db, { now, limit: 2 })).toBe(0)
    const later = now + 86_400_000
    expect(await deleteExpiredCodes(store.db, { now: later, limit: 2 })).toBe(2)
    expect(await deleteExpiredCodes(store.db, { now: later, limit: 2 })).toBe(1)
    expect(await deleteExpiredMails(store.db, { now, limit: 2 })).toBe(0)
    expect(await deleteExpiredMails(store.db, { now: later, limit: 2 })).toBe(1)
  })

  test('writes what the letters option writes, with a subject of one line', async () => {
    const { sent, mailer } = startMailbox()
    const own = await startMailingAuth(database, {
      mailer,
      letters: ({ type, link, to, language }) => ({
        subject: `${type}\r\nBcc: everybody@example.com\u2028x`,
        text: JSON.stringify({ link, to, language }),
      }),
    })
    const email = someEmail()
    await own.register({ email }, { headers: { 'accept-language': 'ko' } })
    await own.auth.api.sendMails()
    expect(sent).toMatchObject([{ to: email, subject: 'verify-email Bcc: everybody@example.com x' }])
    expect(JSON.parse(sent[0]?.text ?? '')).toEqual({
      link: expect.stringMatching(/^https:\/\/auth\.example\.com\/verify-email\?code=[\w-]{43}$/),
      to: email,
      language: 'ko',
    })
  })

  test('tries a letter again whose writer failed', async () => {
    let broken = true
    const { sent, mailer } = startMailbox()
    const own = await startMailingAuth(database, {
      mailer,
      letters: () => {
        if (broken) throw new Error('a mistake in a template')
        return { subject: 'x', text: 'y' }
      },
    })
    expect((await own.register()).status).toBe(201)
    await own.auth.api.sendMails()
    broken = false
    own.clock.advance(60)
    await own.auth.api.sendMails()
    expect(sent).toHaveLength(1)
  })
})
