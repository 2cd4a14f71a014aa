import { createHash } from 'node:crypto'
import { createSigner, generateKey } from '@mapae/jwt'
import { sql } from 'kysely'
import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { inTransaction, openStore, parseDatabaseAddress } from '../src/store/open-store.ts'
import { query } from './read-database.ts'
import { type Answer, atTheEnd, SECRET, startAuth, startFreshAuth, type TestAuth } from './start-auth.ts'

interface Pair {
  readonly access_token: string
  readonly refresh_token: string
}

let attempts = 0
const newAttempt = () => `attempt-${String(++attempts).padStart(24, '0')}`

describe.each(databases)('the session table, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database)
  })

  const open = async (): Promise<Answer['json']> => (await server.register()).json
  const refresh = (tokens: Pair, attemptId?: string) => server.refresh(tokens, attemptId ? { attemptId } : {})
  /** Renews so often, each time with an attempt id of its own, and returns all pairs, the first one first. */
  const line = async (renewals: number): Promise<{ pairs: Answer['json'][]; attempts: string[] }> => {
    const pairs = [await open()]
    const used: string[] = []
    for (let index = 0; index < renewals; index++) {
      used.push(newAttempt())
      pairs.push((await refresh(at(pairs, -1), used.at(-1))).json)
    }
    return { pairs, attempts: used }
  }
  const row = async (sid: string) =>
    (await query(server.database, `select * from sessions where id = '${sid}'`))[0]
  const generationOf = (token: string) => Number(token.split('.')[2])
  const eventsOf = (sid: string) =>
    server.events
      .filter((event) => 'sessionId' in event && event.sessionId === sid)
      .map((event) => event.type)

  describe('row 1: the access token', () => {
    test('that is missing is asked for, and nothing changes', async () => {
      const session = await open()
      const before = await row(session.session_id)
      const answer = await server.call('POST', '/auth/refresh', {
        body: { refresh_token: session.refresh_token },
      })
      expect([answer.status, answer.json.code]).toEqual([400, 'access_token_required'])
      expect(await row(session.session_id)).toEqual(before)
    })

    test('may be missing, but not wrong, when the option says so', async () => {
      const lenient = await startAuth(server.database, { accessTokenOnRefresh: 'verified-if-sent' })
      const session = await open()
      const without = await lenient.call('POST', '/auth/refresh', {
        body: { refresh_token: session.refresh_token },
      })
      expect(without.status).toBe(200)
      const wrong = await lenient.refresh({
        ...without.json,
        access_token: tampered(without.json.access_token),
      })
      expect([wrong.status, wrong.json.code]).toEqual([401, 'invalid_token'])
    })

    test.each([
      ['tampered with', (token: string) => tampered(token)],
      ['cut off', (token: string) => token.slice(0, -4)],
      [
        'signed by somebody else',
        () => createSigner({ key: generateKey('ES256'), typ: 'at+jwt' })({ exp: 1 }),
      ],
      ['not a token', () => 'nonsense'],
    ])('that is %s is refused, and nothing changes', async (_, spoil) => {
      const session = await open()
      const before = await row(session.session_id)
      const answer = await refresh({ ...session, access_token: spoil(session.access_token) })
      expect([answer.status, answer.json.code]).toEqual([401, 'invalid_token'])
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
      expect(await row(session.session_id)).toEqual(before)
      expect(eventsOf(session.session_id)).toContain('session.access_token_mismatch')
    })

    test("of another session of the same person, or of somebody else's, is refused", async () => {
      const registered = await server.register({ email: 'two-devices@example.com' })
      const other = await server.login({ email: 'two-devices@example.com' })
      const stranger = await open()
      for (const { access_token } of [other.json, stranger]) {
        const answer = await refresh({ ...registered.json, access_token })
        expect([answer.status, answer.json.code]).toEqual([401, 'invalid_token'])
      }
      expect((await refresh(registered.json)).status).toBe(200)
    })

    test('may have expired long ago, and may be of any generation of the session', async () => {
      const server = await startFreshAuth(database)
      const first = (await server.register()).json
      server.clock.advance(10_000)
      const second = (await server.refresh(first)).json
      const third = await server.refresh({ ...second, access_token: first.access_token })
      expect(third.status).toBe(200)
      expect(third.headers.get('authorization')).toBe(`Bearer ${third.json.access_token}`)
    })

    test('is judged before the refresh token, whatever that is', async () => {
      const session = await open()
      for (const refresh_token of [session.refresh_token, 'made up', forged(session.refresh_token)]) {
        const answer = await refresh({ access_token: tampered(session.access_token), refresh_token })
        expect(answer.json.code).toBe('invalid_token')
      }
    })
  })

  describe('row 2: the refresh token', () => {
    test('that we never made gets one answer that tells nothing, and moves nothing', async () => {
      const session = await open()
      const before = await row(session.session_id)
      const [prefix, sid, generation, secret] = session.refresh_token.split('.')
      const tokens = {
        'made up': 'made up',
        'a wrong secret': forged(session.refresh_token),
        'another generation with the same secret': [prefix, sid, '2', secret].join('.'),
        'a generation of nine digits': [prefix, sid, '999999999', secret].join('.'),
        'generation zero': [prefix, sid, '0', secret].join('.'),
        'a leading zero': [prefix, sid, `0${generation}`, secret].join('.'),
        'another k': `mrt_AAAAAA.${sid}.${generation}.${secret}`,
        empty: '',
      }
      const answers = await Promise.all(
        Object.values(tokens).map((refresh_token) => refresh({ ...session, refresh_token })),
      )
      for (const answer of answers) {
        expect([answer.status, answer.json.code]).toEqual([401, 'invalid_grant'])
        expect(answer.text).toBe(answers[0]?.text)
      }
      expect(await row(session.session_id)).toEqual(before)
      expect(eventsOf(session.session_id)).not.toContain('session.reuse_detected')
    })

    test('of an unknown session is told with the same answer', async () => {
      const session = await open()
      await query(server.database, `delete from sessions where id = '${session.session_id}'`)
      const gone = await refresh(session)
      const made = await refresh({ ...(await open()), refresh_token: 'made up' })
      expect([gone.status, gone.text]).toEqual([made.status, made.text])
    })

    test("of a client's session is not taken here", async () => {
      const session = await open()
      await query(server.database, `update sessions set client_id = 'app' where id = '${session.session_id}'`)
      expect((await refresh(session)).json.code).toBe('invalid_grant')
    })
  })

  describe('row 3: a session that is over', () => {
    test.each([
      ['expired', 100, { sessionLifetime: 100, sessionIdleLifetime: 100 }],
      ['idle_expired', 60, { sessionLifetime: 1000, sessionIdleLifetime: 60 }],
    ])('says %s', async (reason, wait, options) => {
      const server = await startFreshAuth(database, options)
      const session = (await server.register()).json
      server.clock.advance(wait - 1)
      expect((await server.refresh(session)).status).toBe(200)
      server.clock.advance(reason === 'expired' ? 1 : wait)
      const answer = await server.refresh(session)
      expect([answer.status, answer.json.code, answer.json.end_reason]).toEqual([
        401,
        'session_ended',
        reason,
      ])
    })

    test('says why it was ended', async () => {
      const session = await open()
      await server.call('POST', '/auth/logout', { body: { refresh_token: session.refresh_token } })
      const answer = await refresh(session)
      expect([answer.status, answer.json.code, answer.json.end_reason]).toEqual([
        401,
        'session_ended',
        'logout',
      ])
    })

    test('says that the account is disabled', async () => {
      const session = await open()
      await server.auth.api.disableUser(session.user.id)
      const answer = await refresh(session)
      expect([answer.json.code, answer.json.end_reason]).toEqual(['session_ended', 'account_disabled'])
    })

    test('says so too when a login got through while the account was being disabled', async () => {
      const session = await open()
      await query(server.database, `update accounts set disabled_at = 1 where id = '${session.user.id}'`)
      const answer = await refresh(session)
      expect([answer.status, answer.json.end_reason]).toEqual([401, 'account_disabled'])
      expect((await row(session.session_id))?.['ended_at']).toBeNull()
    })

    test('keeps its first reason', async () => {
      const { pairs } = await line(3)
      await server.call('POST', '/auth/logout', { body: { refresh_token: at(pairs, 3).refresh_token } })
      expect((await refresh(at(pairs, 0))).json.end_reason).toBe('logout')
    })

    test('never outlives its absolute end, and neither do its tokens', async () => {
      const server = await startFreshAuth(database, { sessionLifetime: 400, sessionIdleLifetime: 200 })
      const session = (await server.register()).json
      server.clock.advance(150)
      const second = (await server.refresh(session)).json
      expect(second.refresh_expires_in).toBe(200)
      server.clock.advance(150)
      const third = (await server.refresh(second)).json
      expect(third.refresh_expires_in).toBe(100)
      expect(third.expires_in).toBe(100)
    })
  })

  test('row 4: the current token with the attempt id that made it is answered with itself, for a while', async () => {
    const server = await startFreshAuth(database)
    const first = (await server.register()).json
    const attemptId = newAttempt()
    const second = (await server.refresh(first, { attemptId })).json
    server.clock.advance(29)
    const late = await server.refresh(second, { attemptId })
    expect(late.json.refresh_token).toBe(second.refresh_token)
    expect(late.json.access_token).not.toBe(second.access_token)
    server.clock.advance(1)
    const later = await server.refresh(second, { attemptId })
    expect(generationOf(later.json.refresh_token)).toBe(3)
  })

  test('row 5: the current token is spent for its successor', async () => {
    const { pairs } = await line(3)
    expect(pairs.map((pair) => generationOf(pair.refresh_token))).toEqual([1, 2, 3, 4])
    expect(new Set(pairs.map((pair) => pair.refresh_token)).size).toBe(4)
    expect(Number((await row(at(pairs, 0).session_id))?.['generation'])).toBe(4)
  })

  test('row 6: a token newer than a restored backup is adopted, and audited', async () => {
    const { pairs } = await line(4)
    const sid = at(pairs, 0).session_id
    const backup = await line(0)
    const kept = await row(sid)
    // The backup knows generation 2 only.
    const hashOfSecond = (await import('node:crypto'))
      .createHash('sha256')
      .update(at(pairs, 1).refresh_token)
      .digest('base64url')
    await query(
      server.database,
      `update sessions set generation = 2, refresh_hash = '${hashOfSecond}', attempt_hash = null, previous_attempt_hash = null where id = '${sid}'`,
    )
    const adopted = await refresh(at(pairs, 4))
    expect(adopted.status).toBe(200)
    expect(generationOf(adopted.json.refresh_token)).toBe(6)
    expect(eventsOf(sid)).toContain('session.adopted')
    expect(Number(kept?.['generation'])).toBe(5)
    const audited = await query(
      server.database,
      `select detail from audit where session_id = '${sid}' and type = 'session.adopted'`,
    )
    expect(audited).toHaveLength(1)
    expect((await refresh(at(backup.pairs, 0))).status).toBe(200)
  })

  describe('a restored backup', () => {
    /** Puts the row back to what it was at a generation. */
    const restore = (pair: Pair & { session_id: string }, attempt: string | undefined) =>
      query(server.database, restoring(pair, attempt && hashOf(attempt)))

    test('forgets the attempt ids before the adoption: they supersede nothing', async () => {
      const { pairs, attempts } = await line(4)
      await restore(at(pairs, 1), attempts[0])
      expect(generationOf((await refresh(at(pairs, 4), newAttempt())).json.refresh_token)).toBe(6)
      expect((await refresh(at(pairs, 3), attempts[0])).json.end_reason).toBe('refresh_token_reuse')
    })

    test('is no obstacle to inline renewal', async () => {
      const { pairs } = await line(2)
      await restore(at(pairs, 0), undefined)
      const { access_token, refresh_token } = at(pairs, 2)
      const fields = { authorization: `Bearer ${access_token}`, 'mapae-refresh-token': refresh_token }
      const header = (name: string) => new Headers(fields).get(name) ?? undefined
      expect(await server.auth.renew({ method: 'GET', header })).toMatchObject({ type: 'renewed' })
    })

    test('and another secret leave a token of the same generation that is not the current one: refused', async () => {
      const NEW = 'another server secret for tests, 32 characters or more'
      const reading = await startAuth(server.database, { secret: [SECRET, NEW] })
      const making = await startAuth(server.database, { secret: [NEW, SECRET] })
      const first = await open()
      const lost = (await reading.refresh(first)).json
      await restore(first, undefined)
      const second = (await making.refresh(first)).json
      const before = await row(first.session_id)
      const answer = await reading.refresh(lost)
      expect([answer.status, answer.json.code]).toEqual([401, 'invalid_grant'])
      expect(await row(first.session_id)).toEqual(before)
      expect((await reading.refresh(second)).status).toBe(200)
    })
  })

  describe('row 7: the previous token', () => {
    test('with the attempt id that replaced it gets the same successor, a year later', async () => {
      const server = await startFreshAuth(database, {
        sessionIdleLifetime: 400 * 86_400,
        sessionLifetime: 800 * 86_400,
      })
      const first = (await server.register()).json
      const attemptId = newAttempt()
      const second = (await server.refresh(first, { attemptId })).json
      server.clock.advance(365 * 86_400)
      const again = await server.refresh(first, { attemptId })
      expect(again.json.refresh_token).toBe(second.refresh_token)
      expect(server.events.map((event) => event.type)).not.toContain('session.fetched_without_attempt')
    })

    test('without it gets the same successor within the reuse interval, and that is recorded', async () => {
      const { pairs } = await line(1)
      const again = await refresh(at(pairs, 0))
      const another = await refresh(at(pairs, 0), newAttempt())
      expect([again, another].map((answer) => answer.json.refresh_token)).toEqual([
        at(pairs, 1).refresh_token,
        at(pairs, 1).refresh_token,
      ])
      expect(
        eventsOf(at(pairs, 0).session_id).filter((type) => type === 'session.fetched_without_attempt'),
      ).toHaveLength(1)
    })

    test('three generations running on which two parties live are told', async () => {
      let current = await open()
      for (let generation = 1; generation <= 3; generation++) {
        expect(eventsOf(current.session_id)).not.toContain('session.line_shared')
        const next = (await refresh(current, newAttempt())).json
        await refresh(current)
        current = { ...current, ...next }
      }
      await refresh(current, newAttempt())
      await refresh(current)
      expect(eventsOf(current.session_id).filter((type) => type === 'session.line_shared')).toHaveLength(1)
    })

    test('an interrupted run is not told', async () => {
      let current = await open()
      for (const shared of [true, true, false, true, true]) {
        const next = (await refresh(current, newAttempt())).json
        if (shared) await refresh(current)
        current = { ...current, ...next }
      }
      expect(eventsOf(current.session_id)).not.toContain('session.line_shared')
    })

    test('after the reuse interval, without the attempt id, is theft', async () => {
      const server = await startFreshAuth(database)
      const first = (await server.register()).json
      await server.refresh(first)
      server.clock.advance(30)
      const stolen = await server.refresh(first)
      expect([stolen.status, stolen.json.code, stolen.json.end_reason]).toEqual([
        401,
        'session_ended',
        'refresh_token_reuse',
      ])
    })

    test('has no interval when that is turned off, and still its attempt id', async () => {
      const server = await startFreshAuth(database, { reuseInterval: 0 })
      const first = (await server.register()).json
      const attemptId = newAttempt()
      const second = (await server.refresh(first, { attemptId })).json
      expect((await server.refresh(first, { attemptId })).json.refresh_token).toBe(second.refresh_token)
      expect((await server.refresh(first)).json.end_reason).toBe('refresh_token_reuse')
    })

    test('has none either while the clock is behind', async () => {
      const server = await startFreshAuth(database, { reuseInterval: 0 })
      const first = (await server.register()).json
      await server.refresh(first)
      server.clock.advance(-3600)
      expect((await server.refresh(first)).json.end_reason).toBe('refresh_token_reuse')
    })

    test('after a renewal without an attempt id has no attempt id that would do', async () => {
      const server = await startFreshAuth(database)
      const first = (await server.register()).json
      const attemptId = newAttempt()
      const second = (await server.refresh(first, { attemptId })).json
      await server.refresh(second)
      server.clock.advance(31)
      expect((await server.refresh(second, { attemptId })).json.end_reason).toBe('refresh_token_reuse')
    })

    test('with the attempt id that made it is theft: a late tab is answered for a while only', async () => {
      const server = await startFreshAuth(database)
      const first = (await server.register()).json
      const attemptId = newAttempt()
      const second = (await server.refresh(first, { attemptId })).json
      await server.refresh(second, { attemptId: newAttempt() })
      server.clock.advance(31)
      expect((await server.refresh(second, { attemptId })).json.end_reason).toBe('refresh_token_reuse')
    })

    test('counts a clock that stepped back as no time at all', async () => {
      const server = await startFreshAuth(database)
      const first = (await server.register()).json
      const second = (await server.refresh(first)).json
      server.clock.advance(-3600)
      const again = await server.refresh(first)
      expect(again.json.refresh_token).toBe(second.refresh_token)
    })
  })

  test('row 8: a delayed duplicate from two back is superseded, and nothing changes', async () => {
    const { pairs, attempts } = await line(2)
    const before = await row(at(pairs, 0).session_id)
    const answer = await refresh(at(pairs, 0), attempts[0])
    expect([answer.status, answer.json.code]).toEqual([401, 'refresh_superseded'])
    expect(answer.setCookies).toEqual([])
    expect(await row(at(pairs, 0).session_id)).toEqual(before)
    expect((await refresh(at(pairs, 2))).status).toBe(200)
  })

  describe('row 9: an older token', () => {
    test.each([
      ['without an attempt id', undefined],
      ['with an attempt id made up', 'A'.repeat(22)],
    ])('two back %s is theft: the session ends for everybody', async (_, attemptId) => {
      const { pairs } = await line(2)
      const sid = at(pairs, 0).session_id
      const thief = await refresh(at(pairs, 0), attemptId)
      expect([thief.status, thief.json.code, thief.json.end_reason]).toEqual([
        401,
        'session_ended',
        'refresh_token_reuse',
      ])
      const owner = await refresh(at(pairs, 2))
      expect([owner.status, owner.json.end_reason]).toEqual([401, 'refresh_token_reuse'])
      const me = await server.call('GET', '/auth/me', { token: at(pairs, 2).access_token })
      expect([me.status, me.json.code, me.json.end_reason]).toEqual([
        401,
        'session_ended',
        'refresh_token_reuse',
      ])
      expect((await row(sid))?.['end_reason']).toBe('refresh_token_reuse')
      expect(eventsOf(sid).filter((type) => type === 'session.reuse_detected')).toHaveLength(1)
    })

    test('three back is theft even with the attempt id that once replaced it', async () => {
      const { pairs, attempts } = await line(3)
      expect((await refresh(at(pairs, 0), attempts[0])).json.end_reason).toBe('refresh_token_reuse')
    })

    test("three back is theft with its successor's attempt id, too", async () => {
      const { pairs, attempts } = await line(3)
      expect((await refresh(at(pairs, 0), attempts[1])).json.end_reason).toBe('refresh_token_reuse')
    })

    test('is written down with the generations', async () => {
      const { pairs } = await line(2)
      await refresh(at(pairs, 0))
      const audited = await query(
        server.database,
        `select detail from audit where session_id = '${at(pairs, 0).session_id}' and type = 'session.reuse_detected'`,
      )
      expect(audited.map(({ detail }) => JSON.parse(String(detail)))).toEqual([{ current: 3, presented: 1 }])
    })

    test('revokes the session in the same transaction', async () => {
      const { pairs } = await line(2)
      const before = await query(server.database, 'select seq from revocations')
      await refresh(at(pairs, 0))
      const after = await query(
        server.database,
        'select seq, key_hash, expires_at from revocations order by seq',
      )
      expect(after).toHaveLength(before.length + 1)
      expect(Number(after.at(-1)?.['expires_at'])).toBe(server.clock.now() + 300_000 + 60_000)
    })

    test('ends the session once, however often it is presented', async () => {
      const { pairs } = await line(2)
      const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(at(pairs, 0))))
      for (const answer of answers) expect(answer.json.end_reason).toBe('refresh_token_reuse')
      expect(
        eventsOf(at(pairs, 0).session_id).filter((type) => type === 'session.reuse_detected'),
      ).toHaveLength(1)
    })
  })

  describe('the attempt id', () => {
    test.each(['short', 'x'.repeat(129), 'spaces are not allowed here', `"${'a'.repeat(22)}"`])(
      'must be 22 to 128 base64url characters: %s',
      async (attemptId) => {
        const session = await open()
        const answer = await refresh(session, attemptId)
        expect([answer.status, answer.json.code]).toEqual([400, 'invalid_idempotency_key'])
        expect((await refresh(session)).json.refresh_token).toMatch(/\.2\./)
      },
    )

    test('is kept as a hash only', async () => {
      const { pairs, attempts } = await line(2)
      const kept = JSON.stringify(await row(at(pairs, 0).session_id))
      for (const attempt of attempts) expect(kept).not.toContain(attempt)
    })
  })

  describe('races', () => {
    test('of 50 renewals with one token nobody is logged out, and one line survives', async () => {
      const session = await open()
      const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(session, newAttempt())))
      expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]))
      expect(new Set(answers.map((answer) => answer.json.refresh_token)).size).toBe(1)
      expect(Number((await row(session.session_id))?.['generation'])).toBe(2)
      const fetched = eventsOf(session.session_id).filter(
        (type) => type === 'session.fetched_without_attempt',
      )
      expect(fetched, 'one made the generation, the others fetched it').toHaveLength(1)
      const next = await refresh(at(answers, 49).json)
      expect(generationOf(next.json.refresh_token)).toBe(3)
    })

    test('of 50 renewals on two replicas are decided by the database', async () => {
      const other = await startAuth(server.database)
      const session = await open()
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) => (index % 2 ? other : server).refresh(session)),
      )
      expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]))
      expect(new Set(answers.map((answer) => answer.json.refresh_token)).size).toBe(1)
    })

    test('of renewal and logout leave the session ended', async () => {
      const session = await open()
      const [renewed, out] = await Promise.all([
        refresh(session),
        server.call('POST', '/auth/logout', { body: { refresh_token: session.refresh_token } }),
      ])
      expect(out.status).toBe(204)
      expect([200, 401]).toContain(renewed.status)
      const after = await refresh(renewed.status === 200 ? renewed.json : session)
      expect(after.json.end_reason).toBe('logout')
    })
  })

  describe('what another replica commits between the judgement and the statement', () => {
    /** Sends a request while another connection has changed the row, and commits that a moment later. */
    const meanwhile = async <T>(change: string, send: () => Promise<T>): Promise<T> => {
      const address = parseDatabaseAddress(server.database.url)
      if (!address) throw new Error('a database has an address')
      const replica = openStore(address, 'mapae')
      atTheEnd(() => replica.db.destroy())
      let answer: Promise<T> | undefined
      await inTransaction(replica, async (db) => {
        await sql.raw(change).execute(db)
        answer = send()
        await new Promise((resolve) => setTimeout(resolve, 150))
      })
      if (!answer) throw new Error('the transaction was done')
      return answer
    }

    test('a logout: nothing is rotated', async () => {
      const session = await open()
      const sid = session.session_id
      const answer = await meanwhile(
        `update sessions set ended_at = 1, end_reason = 'logout' where id = '${sid}'`,
        () => refresh(session),
      )
      expect([answer.status, answer.json.end_reason]).toEqual([401, 'logout'])
      expect(Number((await row(sid))?.['generation'])).toBe(1)
    })

    test('a rotation with another attempt id: the same successor, which is recorded', async () => {
      const session = await open()
      const other = (await refresh(session, newAttempt())).json
      const attempt = hashOf(newAttempt())
      await query(server.database, restoring(session, undefined))
      const answer = await meanwhile(restoring({ ...session, ...other }, attempt), () =>
        refresh(session, newAttempt()),
      )
      expect(answer.json.refresh_token).toBe(other.refresh_token)
      expect((await row(session.session_id))?.['attempt_hash']).toBe(attempt)
      expect(eventsOf(session.session_id)).toContain('session.fetched_without_attempt')
    })

    test('a restored backup in which the token is the current one: no theft', async () => {
      const { pairs } = await line(2)
      const first = at(pairs, 0)
      const answer = await meanwhile(restoring(first, undefined), () => refresh(first))
      expect([answer.status, generationOf(answer.json.refresh_token)]).toEqual([200, 2])
      expect(eventsOf(first.session_id)).not.toContain('session.reuse_detected')
    })

    test('a later idle end: inline renewal does not take it back', async () => {
      const session = await open()
      await query(
        server.database,
        `update sessions set idle_expires_at = ${server.clock.now() + 86_400_000} where id = '${session.session_id}'`,
      )
      const header = (name: string) =>
        ({ authorization: `Bearer ${session.access_token}`, 'mapae-refresh-token': session.refresh_token })[
          name
        ]
      const renewal = await meanwhile(
        `update sessions set idle_expires_at = expires_at where id = '${session.session_id}'`,
        () => server.auth.renew({ method: 'GET', header }),
      )
      expect(renewal.type).toBe('renewed')
      const kept = await row(session.session_id)
      expect(kept?.['idle_expires_at']).toBe(kept?.['expires_at'])
    })
  })

  describe('server secrets', () => {
    const NEW = 'another server secret for tests, 32 characters or more'

    test('change in two steps and log nobody out', async () => {
      const session = await open()
      const reading = await startAuth(server.database, { secret: [SECRET, NEW] })
      const making = await startAuth(server.database, { secret: [NEW, SECRET] })
      const second = (await making.refresh(session)).json
      expect((await reading.refresh(session)).json.refresh_token).toBe(second.refresh_token)
      const third = await reading.refresh(second)
      expect(third.status).toBe(200)
      expect((await making.refresh(third.json)).status).toBe(200)
    })

    test('that are gone prove nothing any more', async () => {
      const session = await open()
      const amnesiac = await startAuth(server.database, { secret: NEW })
      expect((await amnesiac.refresh(session)).json.code).toBe('invalid_grant')
      expect((await refresh(session)).status).toBe(200)
    })
  })

  describe('a withdrawn signing key', () => {
    test('leaves the refresh token to decide alone, which is audited', async () => {
      const server = await startFreshAuth(database)
      const session = (await server.register()).json
      await server.auth.api.rotateKeys({ signsNow: true })
      const kid = JSON.parse(
        Buffer.from(session.access_token.split('.')[0] ?? '', 'base64url').toString(),
      ).kid
      await query(server.database, `update signing_keys set withdrawn_at = 1 where kid = '${kid}'`)
      server.clock.advance(11)
      const me = await server.call('GET', '/auth/me', { token: session.access_token })
      expect([me.status, me.json.code]).toEqual([401, 'invalid_token'])
      const renewed = await server.refresh(session)
      expect(renewed.status).toBe(200)
      expect(server.events.map((event) => event.type)).toContain('session.access_token_withdrawn')
      expect((await server.call('GET', '/auth/me', { token: renewed.json.access_token })).status).toBe(200)
    })
  })

  describe('a token that only names a withdrawn signing key', () => {
    test('is made up: it was not sent along with the refresh token', async () => {
      const server = await startFreshAuth(database)
      const [session, other] = [(await server.register()).json, (await server.register()).json]
      await server.auth.api.rotateKeys({ signsNow: true })
      await query(
        server.database,
        'update signing_keys set withdrawn_at = 1 where active_from = (select min(active_from) from signing_keys)',
      )
      server.clock.advance(11)
      const [header, payload, signature] = session.access_token.split('.')
      const madeUp = {
        unsigned: `${header}.${payload}.`,
        'signed with nothing': `${header}.${payload}.${'A'.repeat(86)}`,
        tampered: tampered(session.access_token),
        'empty claims': `${header}.e30.${signature}`,
        "another session's": other.access_token,
      }
      for (const [name, access_token] of Object.entries(madeUp)) {
        const answer = await server.refresh({ ...session, access_token })
        expect([answer.status, answer.json.code], name).toEqual([401, 'invalid_token'])
      }
      expect((await server.refresh(session)).status).toBe(200)
    })
  })

  describe('inline renewal', () => {
    const renew = (tokens: Pair, method = 'GET') =>
      server.auth.renew({
        method,
        header: (name) =>
          ({ authorization: `Bearer ${tokens.access_token}`, 'mapae-refresh-token': tokens.refresh_token })[
            name
          ],
      })

    test('mints an access token and spends no generation, however many ask', async () => {
      const session = await open()
      const renewals = await Promise.all(Array.from({ length: 20 }, () => renew(session)))
      expect(new Set(renewals.map((renewal) => renewal.type))).toEqual(new Set(['renewed']))
      expect(Number((await row(session.session_id))?.['generation'])).toBe(1)
    })

    test('takes the previous token within the reuse interval, and never ends a session', async () => {
      const { pairs } = await line(2)
      expect(await renew(at(pairs, 1))).toMatchObject({ type: 'renewed' })
      expect(await renew(at(pairs, 0))).toMatchObject({
        type: 'refused',
        status: 401,
        code: 'refresh_superseded',
      })
      expect(eventsOf(at(pairs, 0).session_id)).toContain('session.stale_inline_renewal')
      expect((await refresh(at(pairs, 2))).status).toBe(200)
    })

    test('refuses what renewal refuses', async () => {
      const session = await open()
      expect(await renew({ ...session, access_token: tampered(session.access_token) })).toMatchObject({
        status: 401,
        code: 'invalid_token',
      })
      expect(await renew({ ...session, refresh_token: forged(session.refresh_token) })).toMatchObject({
        status: 401,
        code: 'invalid_grant',
      })
      await server.call('POST', '/auth/logout', { body: { refresh_token: session.refresh_token } })
      expect(await renew(session)).toMatchObject({ status: 401, code: 'session_ended' })
    })

    test('keeps a session that is used this way awake', async () => {
      const server = await startFreshAuth(database, { sessionIdleLifetime: 1000, sessionLifetime: 100_000 })
      const session = (await server.register()).json
      const header = (name: string) =>
        ({ authorization: `Bearer ${session.access_token}`, 'mapae-refresh-token': session.refresh_token })[
          name
        ]
      for (let step = 0; step < 5; step++) {
        server.clock.advance(900)
        expect(await server.auth.renew({ method: 'GET', header })).toMatchObject({ type: 'renewed' })
      }
      server.clock.advance(1000)
      expect(await server.auth.renew({ method: 'GET', header })).toMatchObject({ code: 'session_ended' })
    })
  })
})

/** Puts a row back to the generation of a pair, made with an attempt of that hash. */
function restoring(pair: Pair & { readonly session_id: string }, attemptHash: string | undefined): string {
  const attempt = attemptHash === undefined ? 'null' : `'${attemptHash}'`
  return `update sessions set generation = ${pair.refresh_token.split('.')[2]}, refresh_hash = '${hashOf(pair.refresh_token)}', attempt_hash = ${attempt}, previous_attempt_hash = null where id = '${pair.session_id}'`
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

function at<T>(list: readonly T[], index: number): T {
  const item = list.at(index)
  if (item === undefined) throw new Error(`there is no item ${index}`)
  return item
}

/** The same token with another payload and the old signature. */
function tampered(token: string): string {
  const [header, payload, signature] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())
  const changed = Buffer.from(JSON.stringify({ ...claims, roles: ['admin'] })).toString('base64url')
  return [header, changed, signature].join('.')
}

/** A refresh token with a secret of the right shape that nobody made. */
function forged(token: string): string {
  const last = token.at(-1) === 'A' ? 'E' : 'A'
  return token.slice(0, -1) + last
}
