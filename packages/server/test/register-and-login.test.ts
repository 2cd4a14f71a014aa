import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { query, readTables } from './read-database.ts'
import { PASSWORD, someEmail, startAuth, startFreshAuth, type TestAuth } from './start-auth.ts'

/** Letters and marks by their category that no font draws: Hangul fillers, a joiner, variation selectors. */
const INVISIBLE = ['\u3164', '\uffa0', '\u115f', '\u1160', '\u034f', '\u180b', '\ufe0f', '\u{e0100}']

describe.each(databases)('registering and logging in, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database)
  })

  test('nobody has an account in a new database', async () => {
    const own = await startFreshAuth(database)
    expect(await own.auth.api.listUsers()).toEqual([])
    const { accounts, identifiers, sessions } = await readTables(own.database)
    expect([accounts, identifiers, sessions]).toEqual([[], [], []])
  })

  test('a person registers with an e-mail address, and logs in with it under any of its member names', async () => {
    const email = someEmail()
    const registered = await server.register({ email })
    expect(registered.status).toBe(201)
    for (const named of [{ identifier: email }, { email }]) {
      const login = await server.login(named)
      expect(login.status).toBe(200)
      expect(login.json.user).toEqual(registered.json.user)
      expect(login.json.session_id).not.toBe(registered.json.session_id)
    }
  })

  test('a person registers with a username, and logs in with it', async () => {
    const registered = await server.register({ username: '춘향.1' })
    expect(registered.json.user).toMatchObject({ username: '춘향.1', email: null })
    for (const named of [{ identifier: '춘향.1' }, { username: '춘향.1' }]) {
      expect((await server.login(named)).json.user.id).toBe(registered.json.user.id)
    }
  })

  test('a person registers with both, and logs in with either', async () => {
    const email = someEmail()
    const registered = await server.register({ email, username: 'with-both' })
    expect(registered.json.user).toMatchObject({ email, username: 'with-both' })
    expect((await server.login({ identifier: email })).status).toBe(200)
    expect((await server.login({ identifier: 'with-both' })).status).toBe(200)
  })

  test('a taken username with a free e-mail address leaves nothing behind', async () => {
    await server.register({ username: 'taken-name' })
    const email = someEmail()
    const second = await server.register({ email, username: 'taken-name' })
    expect([second.status, second.json.code]).toEqual([409, 'identifier_taken'])
    expect((await server.login({ email })).json.code).toBe('invalid_credentials')
    expect((await server.register({ email })).status).toBe(201)
  })

  test.each([
    { first: 'me@folding.example', again: 'ME@Folding.Example' },
    { first: 'Caf\u00c9@folding.example', again: 'cafe\u0301@folding.example' },
    { first: 'e\u0301cole@folding.example', again: '\u00c9COLE@FOLDING.EXAMPLE' },
    { first: 'me@bücher.example', again: 'me@XN--BCHER-KVA.example' },
    { first: 'me@xn--hq1bm8jm9l.example', again: 'me@도메인.example' },
    { first: 'me@ｗｉｄｅ.example', again: 'me@wide.example' },
    { first: 'me@blanks.example', again: ' me@blanks.example\u3000' },
  ])('$first and $again are one e-mail address', async ({ first, again }) => {
    const registered = await server.register({ email: first })
    expect(registered.json.user.email).toBe(first.normalize('NFC'))
    expect((await server.register({ email: again })).json.code).toBe('identifier_taken')
    expect((await server.login({ email: again })).json.user.id).toBe(registered.json.user.id)
  })

  test.each([
    { first: 'Folded', again: 'fOLDED' },
    { first: '\u1112\u1161\u11ab\u1100\u1173\u11af이름', again: '한글이름' },
    { first: 'Jose\u0301', again: 'JOS\u00c9' },
    { first: 'impreſſed', again: 'Impressed' },
    { first: 'Οδυσσεύς', again: 'ΟΔΥΣΣΕΎΣ' },
    { first: 'οδυσσεύσ.2', again: 'Οδυσσεύς.2' },
    { first: 'Straße', again: 'STRASSE' },
    { first: 'oﬃce', again: 'office' },
    { first: 'ｗｉｄｅ', again: 'wide' },
    { first: 'blanks', again: ' blanks ' },
  ])('$first and $again are one username', async ({ first, again }) => {
    const registered = await server.register({ username: first })
    expect(registered.status).toBe(201)
    expect((await server.register({ username: again })).json.code).toBe('identifier_taken')
    expect((await server.login({ username: again })).json.user.id).toBe(registered.json.user.id)
  })

  test.each([
    ['leſer@apart.example', 'leser@apart.example'],
    ['οδος@apart.example', 'οδοσ@apart.example'],
    ['oﬃce@apart.example', 'office@apart.example'],
  ])('%s and %s are two mailboxes, of two people', async (one, other) => {
    const first = await server.register({ email: one })
    const second = await server.register({ email: other })
    expect([first.status, second.status]).toEqual([201, 201])
    expect((await server.login({ email: one })).json.user.id).toBe(first.json.user.id)
    expect((await server.login({ email: other })).json.user.id).toBe(second.json.user.id)
  })

  test('whoever registered under former keys logs in, and keeps the name for himself', async () => {
    const own = await startFreshAuth(database)
    const people = [
      ['username', 'Straße', 'straße', 'STRASSE'],
      ['email', 'me@Bücher.example', 'me@bücher.example', 'me@xn--bcher-kva.example'],
    ] as const
    const ids = []
    for (const [kind, display, former] of people) {
      const { json } = await own.register({ [kind]: display })
      ids.push(json.user.id)
      await query(
        own.database,
        `update identifiers set value = '${former}' where account_id = '${json.user.id}'`,
      )
    }
    // What another took meanwhile under the key of both: each goes on to have a name of its own.
    const { json: faster } = await own.register({ username: 'weissbier' })
    const { json: slower } = await own.register({ username: 'placeholder' })
    const its = `where account_id = '${slower.user.id}'`
    await query(own.database, `update identifiers set value = 'weißbier', display = 'Weißbier' ${its}`)
    await query(own.database, "delete from migrations where name = '0008-identifier-keys'")

    const later = await startAuth(own.database)
    for (const [index, [kind, display, , variant]] of people.entries()) {
      for (const typed of [display, variant])
        expect((await later.login({ identifier: typed })).json.user.id, typed).toBe(ids[index])
      expect((await later.register({ [kind]: variant })).json.code).toBe('identifier_taken')
    }
    expect((await later.login({ identifier: 'Weissbier' })).json.user.id).toBe(faster.user.id)
    expect((await later.login({ identifier: 'WEIßBIER' })).json.user.id).toBe(slower.user.id)
  })

  test('whoever an older version registers while it is being replaced keeps the name, and has its new key from the next login on', async () => {
    const own = await startFreshAuth(database)
    const people = [
      ['username', 'Weiß', 'weiß', 'WEISS'],
      ['email', 'me@Köln.example', 'me@köln.example', 'me@xn--kln-sna.example'],
    ] as const
    for (const [kind, display, former, variant] of people) {
      const { json } = await own.register({ [kind]: display })
      const mine = `where account_id = '${json.user.id}'`
      await query(own.database, `update identifiers set value = '${former}' ${mine}`)
      expect((await own.register({ [kind]: display })).json.code, display).toBe('identifier_taken')
      expect((await own.login({ identifier: variant })).status, 'not found by it yet').toBe(401)
      expect((await own.login({ identifier: display })).json.user.id).toBe(json.user.id)
      expect((await own.login({ identifier: variant })).json.user.id).toBe(json.user.id)
      expect((await own.register({ [kind]: variant })).json.code, variant).toBe('identifier_taken')
    }
  })

  test('whose key somebody else was given meanwhile keeps the former one, at every login', async () => {
    const own = await startFreshAuth(database)
    const { json: slower } = await own.register({ username: 'Süß' })
    const mine = `where account_id = '${slower.user.id}'`
    await query(own.database, `update identifiers set value = 'süß' ${mine}`)
    const { json: faster } = await own.register({ username: 'Süss' })
    for (let time = 0; time < 2; time++) {
      expect((await own.login({ identifier: 'süß' })).json.user.id).toBe(slower.user.id)
      expect((await own.login({ identifier: 'SÜSS' })).json.user.id).toBe(faster.user.id)
    }
  })

  test('of 50 registrations of one e-mail address at once, one gets it and 49 get 409', async () => {
    const email = someEmail()
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        server.register({ email: index % 2 ? email : email.toUpperCase() }),
      ),
    )
    const statuses = answers.map((answer) => answer.status).sort()
    expect(statuses).toEqual([201, ...Array(49).fill(409)])
    expect(answers.filter((answer) => answer.json.code === 'identifier_taken')).toHaveLength(49)

    const { identifiers = [], accounts = [] } = await readTables(server.database)
    const owners = identifiers.filter((row) => row['value'] === email)
    expect(owners).toHaveLength(1)
    const named = new Set(identifiers.map((row) => row['account_id']))
    expect(
      accounts.filter((row) => !named.has(row['id'])),
      'no account without an identifier',
    ).toEqual([])
  })

  test.each([
    'no-at-sign.example.com',
    '@example.com',
    'me@',
    'me@localhost',
    'two@at@example.com',
    'white space@example.com',
    'me@exam ple.com',
    'me@example.com\n',
    'bell\u0007@example.com',
    'zero\u200bwidth@example.com',
    ...INVISIBLE.map((nothing) => `me${nothing}@example.com`),
    'me<you@example.com',
    'me,you@example.com',
    'group:you@example.com',
    'you@example.com>',
    '"me"@example.com',
    'me@.example.com',
    'me@example..com',
    `${'a'.repeat(65)}@example.com`,
    `me@${'a'.repeat(64)}.example.com`,
    '',
  ])('%j is not an e-mail address', async (email) => {
    const answer = await server.register({ email })
    expect([answer.status, answer.json.code]).toEqual([400, 'invalid_identifier'])
  })

  test.each([
    'ab',
    'a'.repeat(33),
    'me@example.com',
    '-dash-first',
    'dash-last-',
    'white space',
    'zero\u200bwidth',
    'right\u202eleft',
    ...INVISIBLE.map((nothing) => `ad${nothing}min`),
    ...INVISIBLE.map((nothing) => `admin${nothing}`),
    '',
  ])('%j is not a username', async (username) => {
    const answer = await server.register({ username })
    expect([answer.status, answer.json.code]).toEqual([400, 'invalid_identifier'])
  })

  test('who names nobody is told what to send', async () => {
    const registration = await server.call('POST', '/auth/register', { body: { password: PASSWORD } })
    expect([registration.status, registration.json.code]).toEqual([400, 'invalid_request'])
    const login = await server.login({})
    expect([login.status, login.json.code]).toEqual([400, 'invalid_request'])
    expect(login.json.detail).toBe('Send identifier, email or username.')
  })

  test('members that a person may not choose are ignored and never stored', async () => {
    const chosen = 'chosen-by-the-client'
    const answer = await server.call('POST', '/auth/register', {
      raw: JSON.stringify({
        email: someEmail(),
        password: PASSWORD,
        id: chosen,
        account_id: chosen,
        role: chosen,
        roles: [chosen],
        scope: chosen,
        scopes: [chosen],
        epoch: 77,
        email_verified: true,
        verified_at: 1,
        disabled_at: 1,
        password_hash: chosen,
        created_at: 1,
        user: { id: chosen, roles: [chosen] },
      }).replace(
        '{',
        `{"__proto__":{"roles":["${chosen}"]},"constructor":{"prototype":{"roles":["${chosen}"]}},`,
      ),
      headers: { 'content-type': 'application/json' },
    })
    expect(answer.status).toBe(201)
    const { user } = answer.json
    expect(user).toMatchObject({ roles: [], scopes: [], email_verified: false })
    expect(user.id).not.toBe(chosen)

    const tables = await readTables(server.database)
    expect(JSON.stringify(tables)).not.toContain(chosen)
    const stored = tables['accounts']?.find((row) => row['id'] === user.id)
    expect(stored).toMatchObject({ roles: '[]', scopes: '[]', epoch: 0, disabled_at: null })
  })

  test('a name is trimmed and composed, and one of spaces alone is none', async () => {
    expect((await server.register({ name: '  Jose\u0301 ' })).json.user.name).toBe('Jos\u00e9')
    expect((await server.register({ name: '   ' })).json.user.name).toBeNull()
  })

  test('an unknown e-mail address and a wrong password get byte-identical answers', async () => {
    const email = someEmail()
    await server.register({ email })
    const wrong = await server.login({ email, password: 'not the password' })
    const unknown = await server.login({ email: someEmail(), password: 'not the password' })
    expect([wrong.status, wrong.json.code]).toEqual([401, 'invalid_credentials'])
    expect(unknown.text).toBe(wrong.text)
    expect(unknown.status).toBe(wrong.status)
    expect([...unknown.headers]).toEqual([...wrong.headers])
    expect(wrong.headers.get('www-authenticate')).toMatch(/^Bearer, DPoP algs=/)
  })

  test('a disabled account is told so only with its password, and its tokens are refused', async () => {
    const email = someEmail()
    const { json } = await server.register({ email })
    expect(await server.auth.api.disableUser(json.user.id)).toBe(true)
    expect(await server.auth.api.disableUser(json.user.id), 'a second time').toBe(false)

    const right = await server.login({ email })
    expect([right.status, right.json.code]).toEqual([403, 'account_disabled'])
    const wrong = await server.login({ email, password: 'not the password' })
    expect([wrong.status, wrong.json.code]).toEqual([401, 'invalid_credentials'])

    const me = await server.call('GET', '/auth/me', { token: json.access_token })
    expect([me.status, me.json.code, me.json.end_reason]).toEqual([401, 'session_ended', 'account_disabled'])
    const renewal = await server.refresh(json)
    expect([renewal.status, renewal.json.end_reason]).toEqual([401, 'account_disabled'])
  })

  test('an id names its account, also when somebody has taken it for a username', async () => {
    const ids = (await readTables(server.database))['accounts']?.map((row) => String(row['id'])) ?? []
    const id = ids.find((each) => /^[a-z0-9].*[a-z0-9]$/i.test(each)) ?? ''
    const shadow = await server.register({ username: id.toLowerCase() })
    expect(shadow.status).toBe(201)
    expect((await server.auth.api.findUser(id))?.id).toBe(id)
    expect((await server.auth.api.findUser(id.toLowerCase()))?.id).toBe(shadow.json.user.id)
  })

  test('a user that server code made logs in with roles and scopes in the token', async () => {
    const user = await server.auth.api.createUser({
      username: 'made-by-code',
      password: PASSWORD,
      roles: ['admin'],
      scopes: ['orders:read', 'orders:write'],
    })
    const login = await server.login({ username: 'made-by-code' })
    expect(login.json.user).toEqual(user)
    expect(login.json.user).toMatchObject({ roles: ['admin'], scopes: ['orders:read', 'orders:write'] })
    expect(Reflect.get(login.json, 'scope')).toBe('orders:read orders:write')
  })

  test('a session remembers the browser and the network, not the address', async () => {
    const { json } = await server.register(
      {},
      {
        address: '203.0.113.77',
        headers: { 'user-agent': 'x'.repeat(400), 'x-forwarded-for': '198.51.100.1' },
      },
    )
    const [row] = await query(
      server.database,
      `select user_agent, network from sessions where id = '${json.session_id}'`,
    )
    expect(row).toEqual({ user_agent: 'x'.repeat(256), network: '203.0.113.0/24' })
  })
})

describe.each(databases)('the identifiers option, on $name', (database) => {
  test.each([
    { identifiers: ['email'] as const, refused: { username: 'some-name' } },
    { identifiers: ['username'] as const, refused: { email: 'me@example.com', username: 'some-name' } },
  ])('$identifiers refuses the other kind', async ({ identifiers, refused }) => {
    const server = await startFreshAuth(database, { identifiers })
    const answer = await server.register(refused)
    expect([answer.status, answer.json.code]).toEqual([400, 'invalid_identifier'])
    const taken = await server.register(
      identifiers[0] === 'email' ? { email: 'me@example.com' } : { username: 'some-name' },
    )
    expect(taken.status).toBe(201)
  })

  test('trusted proxies are counted from the right of X-Forwarded-For', async () => {
    const server = await startFreshAuth(database, { trustProxy: 2 })
    const { json } = await server.register(
      {},
      {
        address: '10.0.0.1',
        headers: { 'x-forwarded-for': 'forged, 192.0.2.66, 2001:db8:7:8::9, 10.0.0.2' },
      },
    )
    const { sessions } = (await server.call('GET', '/auth/sessions', { token: json.access_token })).json
    expect(sessions[0]?.network).toBe('2001:db8:7::/48')
  })
})
