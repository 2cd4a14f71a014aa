import { decodeUnverified } from '@mapae/jwt'
import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { query } from './read-database.ts'
import { startAuth, startFreshAuth, type TestAuth, URL_OF_AUTH } from './start-auth.ts'

const WHOLE = {
  name: '성춘향',
  given_name: '춘향',
  family_name: '성',
  middle_name: 'M.',
  nickname: '향',
  picture: 'https://example.com/a.png',
  profile: 'https://example.com/@chunhyang',
  website: 'http://example.com/',
  gender: 'female',
  birthdate: '1999-02-28',
  zoneinfo: 'Asia/Seoul',
  locale: 'ko-KR',
}

describe.each(databases)('a profile, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database)
  })
  const change = (token: string, body: unknown) => server.call('PATCH', '/auth/me', { token, body })
  const me = async (token: string) => (await server.call('GET', '/auth/me', { token })).json.user
  const somebody = async (body = {}) => (await server.register(body)).json

  test('is told, shown, changed and taken back, member by member', async () => {
    const { access_token: token, user } = await somebody()
    const told = await change(token, WHOLE)
    expect(told.status).toBe(200)
    expect(told.headers.get('cache-control')).toBe('no-store')
    expect(told.json.user).toEqual({ ...user, ...WHOLE })
    expect(await me(token)).toEqual(told.json.user)

    const changed = await change(token, { nickname: '춘향이', name: null, locale: null, gender: null })
    const { locale: _, gender: __, ...rest } = WHOLE
    expect(changed.json.user).toEqual({ ...user, ...rest, nickname: '춘향이', name: null })
    const emptied = await change(token, Object.fromEntries(Object.keys(WHOLE).map((name) => [name, null])))
    expect(emptied.json.user).toEqual(user)
    const [row] = await query(server.database, `select name, profile from accounts where id = '${user.id}'`)
    expect(row).toEqual({ name: null, profile: null })
  })

  test('is told by cookies too, from a page of ours', async () => {
    const { cookies } = await server.register({ transport: 'cookie' })
    const options = { cookies, headers: { origin: URL_OF_AUTH }, body: { nickname: 'me' } }
    const answer = await server.call('PATCH', '/auth/me', options)
    expect([answer.status, answer.json.user.nickname]).toEqual([200, 'me'])
  })

  test('is never in an access token', async () => {
    const tokens = await somebody()
    await change(tokens.access_token, WHOLE)
    const renewed = await server.refresh(tokens)
    const claims = JSON.stringify(decodeUnverified(renewed.json.access_token).claims)
    for (const [name, value] of Object.entries(WHOLE)) {
      expect(claims).not.toContain(`"${name}"`)
      expect(claims).not.toContain(JSON.stringify(value))
    }
  })

  test.each([
    ['  spaces  ', 'spaces'],
    ['e\u0301', '\u00e9'],
    ['', null],
    ['   ', null],
    ["Robert'); drop table accounts; --", "Robert'); drop table accounts; --"],
  ])('keeps a name composed and trimmed, and a blank one not at all: %j', async (told, kept) => {
    const { access_token: token } = await somebody({ nickname: 'before' })
    const { user } = (await change(token, { name: told, nickname: told })).json
    expect([user.name, user.nickname ?? null]).toEqual([kept, kept])
  })

  test.each([
    [{ locale: 'KO-kr' }, { locale: 'ko-KR' }],
    [{ locale: 'zh-hant-tw' }, { locale: 'zh-Hant-TW' }],
    [{ zoneinfo: 'UTC' }, { zoneinfo: 'UTC' }],
    [{ zoneinfo: 'America/Argentina/Buenos_Aires' }, { zoneinfo: 'America/Argentina/Buenos_Aires' }],
    [{ birthdate: '0000-02-29' }, { birthdate: '0000-02-29' }],
    [{ birthdate: '2001' }, { birthdate: '2001' }],
    [{ picture: 'HTTPS://Example.com/a b.png' }, { picture: 'https://example.com/a%20b.png' }],
  ])('takes %j', async (told, kept) => {
    const { access_token: token } = await somebody()
    expect((await change(token, told)).json.user).toMatchObject(kept)
  })

  test.each([
    ...['name', 'given_name', 'nickname', 'gender'].flatMap((name) => [
      { [name]: 'k'.repeat(201) },
      { [name]: 'two\nlines' },
      { [name]: 'a\u0000' },
      { [name]: 'a\u001b[31m' },
      { [name]: '\ud800' },
      { [name]: 1 },
      { [name]: {} },
      { [name]: ['a'] },
    ]),
    ...['', 'ko_KR', 'korean language', 'x', 'ko-KR-'.repeat(20)].map((locale) => ({ locale })),
    ...['', '+09:00', 'Asia/Nowhere', 'Seoul', '../etc/passwd', 'Asia/Seoul\n'].map((zoneinfo) => ({
      zoneinfo,
    })),
    ...['2001-02-29', '2001-13-01', '01-01-2001', '0000', '2001-2-3', '', '2001-01-01T00:00'].map(
      (birthdate) => ({
        birthdate,
      }),
    ),
    ...[
      'http://example.com/a.png',
      'javascript:alert(1)',
      'data:image/png;base64,AA',
      'a.png',
      '//example.com/a',
    ].map((picture) => ({ picture })),
    { picture: 'https://user:secret@example.com/a.png' },
    { picture: `https://example.com/${'k'.repeat(2048)}` },
    { picture: `https://example.com/${'한'.repeat(400)}` },
    { website: 'javascript:alert(1)' },
    { profile: 'ftp://example.com' },
  ])('refuses %j, names the member and changes nothing', async (told) => {
    const tokens = await somebody({ name: 'before' })
    const before = await me(tokens.access_token)
    const refused = await change(tokens.access_token, { family_name: 'not told', ...told })
    expect([refused.status, refused.json.code]).toEqual([400, 'invalid_request'])
    expect(refused.json.errors[0]?.path).toBe(Object.keys(told)[0])
    expect(await me(tokens.access_token)).toEqual(before)
  })

  test('does not change what is no part of it', async () => {
    const { access_token: token, user } = await somebody()
    const body = {
      id: 'x',
      email: 'other@example.com',
      email_verified: true,
      roles: ['admin'],
      scopes: ['all'],
      password: 'another password',
      metadata: { plan: 'gold' },
      __proto__: { nickname: 'x' },
    }
    const answer = await change(token, body)
    expect([answer.status, answer.json.user]).toEqual([200, user])
  })

  test('writes nothing for a change of nothing', async () => {
    const own = await startFreshAuth(database)
    const { json } = await own.register()
    own.events.splice(0)
    const answer = await own.call('PATCH', '/auth/me', { token: json.access_token })
    expect([answer.status, answer.json.user, own.events]).toEqual([200, json.user, []])
    await own.call('PATCH', '/auth/me', {
      token: json.access_token,
      body: { nickname: 'a secret', locale: null },
    })
    expect(own.events).toEqual([
      {
        type: 'account.profile_changed',
        at: own.clock.now(),
        accountId: json.user.id,
        detail: { fields: ['locale', 'nickname'] },
      },
    ])
  })

  test('of 12 changes at once, in two processes, none is lost', async () => {
    const { access_token: token } = await somebody()
    const other = await startAuth(server.database)
    await Promise.all(
      Object.entries(WHOLE).map(([name, value], n) =>
        (n % 2 ? server : other).call('PATCH', '/auth/me', { token, body: { [name]: value } }),
      ),
    )
    expect(await me(token)).toMatchObject(WHOLE)
  })

  test('needs a session that is alive', async () => {
    const tokens = await somebody()
    await server.call('POST', '/auth/logout', { token: tokens.access_token })
    const answer = await change(tokens.access_token, { name: 'late' })
    expect([answer.status, answer.json.code]).toEqual([401, 'session_ended'])
  })
})
