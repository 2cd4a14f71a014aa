import { decodeUnverified } from '@mapae/jwt'
import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { query, readTables } from './read-database.ts'
import { PASSWORD, someEmail, startAuth, startFreshAuth, type TestAuth } from './start-auth.ts'

const claimsOf = (token: string) => decodeUnverified(token).claims

describe.each(databases)('roles and scopes, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database)
  })
  const me = (token: string) => server.call('GET', '/auth/me', { token })
  const person = async () => {
    const { json } = await server.register()
    return { id: json.user.id, tokens: json }
  }

  test('that are granted come with the next renewal, and the older token is good still', async () => {
    const { id, tokens } = await person()
    const held = await server.auth.api.grant({ id, roles: ['admin'], scopes: ['orders:write'] })
    expect(held).toEqual({ roles: ['admin'], scopes: ['orders:write'] })

    const before = await me(tokens.access_token)
    expect([before.status, before.json.user.roles]).toEqual([200, ['admin']])
    const renewed = await server.refresh(tokens)
    expect(claimsOf(renewed.json.access_token)).toMatchObject({ roles: ['admin'], scope: 'orders:write' })
    expect(claimsOf(tokens.access_token)).not.toHaveProperty('roles')
    expect(claimsOf(renewed.json.access_token)['epoch']).toBe(claimsOf(tokens.access_token)['epoch'])
  })

  test('that are withdrawn refuse every older access token at once, and nobody is logged out', async () => {
    const { id } = await person()
    const email = someEmail()
    const { json: first } = await server.register({ email })
    const accountId = first.user.id
    await server.auth.api.grant({ id: accountId, roles: ['admin', 'clerk'], scopes: ['orders:write'] })
    const { json: second } = await server.login({ email })
    expect(claimsOf(second.access_token)).toMatchObject({ roles: ['admin', 'clerk'] })

    const left = await server.auth.api.withdraw({ id: accountId, roles: ['admin'] })
    expect(left).toEqual({ roles: ['clerk'], scopes: ['orders:write'] })
    for (const tokens of [first, second]) {
      const refused = await me(tokens.access_token)
      expect([refused.status, refused.json.code]).toEqual([401, 'invalid_token'])
      const renewed = await server.refresh(tokens)
      expect(renewed.status).toBe(200)
      expect(claimsOf(renewed.json.access_token)).toMatchObject({ roles: ['clerk'], scope: 'orders:write' })
      expect((await me(renewed.json.access_token)).status).toBe(200)
    }
    expect((await server.auth.api.findUser(id))?.roles, 'of somebody else').toEqual([])
  })

  test('that are withdrawn are revoked by account and epoch, in the same transaction, once', async () => {
    const own = await startFreshAuth(database)
    const { json } = await own.register()
    const { id } = json.user
    await own.auth.api.grant({ id, roles: ['admin'] })
    expect((await readTables(own.database))['revocations']).toEqual([])
    await own.auth.api.withdraw({ id, roles: ['admin', 'never-held'] })
    await own.auth.api.withdraw({ id, roles: ['admin'] })
    const { revocations = [], accounts = [] } = await readTables(own.database)
    expect(revocations).toEqual([expect.objectContaining({ epoch: 1 })])
    expect(accounts).toEqual([expect.objectContaining({ epoch: 1, roles: '[]' })])
  })

  test('are told of by name, and only when something changed', async () => {
    const own = await startFreshAuth(database)
    const { json } = await own.register()
    const { id } = json.user
    own.events.splice(0)
    await own.auth.api.grant({ id, roles: ['b', 'a'], scopes: [] })
    await own.auth.api.grant({ id, roles: ['a', 'c'] })
    await own.auth.api.grant({ id, roles: ['a'] })
    await own.auth.api.withdraw({ id, roles: ['b', 'z'] })
    await own.auth.api.withdraw({ id, roles: ['z'] })
    const at = own.clock.now()
    const events = [
      { type: 'account.granted', at, accountId: id, detail: { roles: ['a', 'b'], scopes: [] } },
      { type: 'account.granted', at, accountId: id, detail: { roles: ['c'], scopes: [] } },
      { type: 'account.grants_withdrawn', at, accountId: id, detail: { roles: ['b'], scopes: [] } },
    ]
    expect(own.events).toEqual(events)
    const { audit = [] } = await readTables(own.database)
    expect(audit.slice(-3).map(({ type, detail }) => [type, JSON.parse(String(detail))])).toEqual(
      events.map(({ type, detail }) => [type, detail]),
    )
  })

  test.each([
    [{ roles: [' admin'] }, 'invalid_role'],
    [{ roles: ['ad min'] }, 'invalid_role'],
    [{ roles: [''] }, 'invalid_role'],
    [{ roles: ['-admin'] }, 'invalid_role'],
    [{ roles: ['admin\u0000'] }, 'invalid_role'],
    [{ roles: ['ad\u202emin'] }, 'invalid_role'],
    [{ roles: ['r'.repeat(65)] }, 'invalid_role'],
    [{ scopes: [''] }, 'invalid_scope'],
    [{ scopes: ['orders write'] }, 'invalid_scope'],
    [{ scopes: ['orders"write'] }, 'invalid_scope'],
    [{ scopes: ['orders\\write'] }, 'invalid_scope'],
    [{ scopes: ['주문'] }, 'invalid_scope'],
    [{ scopes: ['s'.repeat(129)] }, 'invalid_scope'],
  ])('that cannot be are refused and change nothing: %j', async (grants, code) => {
    const { id } = await person()
    await expect(server.auth.api.grant({ id, ...grants })).rejects.toMatchObject({ name: 'AuthError', code })
    const user = { email: someEmail(), password: PASSWORD, ...grants }
    await expect(server.auth.api.createUser(user)).rejects.toMatchObject({ code })
    expect(await server.auth.api.findUser(id)).toMatchObject({ roles: [], scopes: [] })
    expect(await server.auth.api.findUser(user.email)).toBeUndefined()
  })

  test.each([
    ['200 of some length', Array.from({ length: 200 }, (_, n) => `a-role-of-some-length-${n}`)],
    ['40 short ones of three bytes a letter', Array.from({ length: 40 }, (_, n) => `${'가'.repeat(17)}${n}`)],
  ])('that are more than an access token can carry are refused: %s', async (_, roles) => {
    const code = 'too_many_grants'
    const { id } = await person()
    await expect(server.auth.api.grant({ id, roles })).rejects.toMatchObject({ code })
    const half = roles.length / 2
    await server.auth.api.grant({ id, roles: roles.slice(0, 8) })
    await expect(server.auth.api.grant({ id, roles: roles.slice(half) })).rejects.toMatchObject({ code })
    expect((await server.auth.api.findUser(id))?.roles).toHaveLength(8)
  })

  test('are kept once each, in order and composed', async () => {
    const { id } = await person()
    const decomposed = '한글'.normalize('NFD')
    const held = await server.auth.api.grant({
      id,
      roles: ['org/42:owner', decomposed, '한글', 'a'],
      scopes: ['https://api.example.com/read', 'a', 'a'],
    })
    expect(held).toEqual({
      roles: ['a', 'org/42:owner', '한글'],
      scopes: ['a', 'https://api.example.com/read'],
    })
    expect(await server.auth.api.withdraw({ id, roles: [decomposed] })).toMatchObject({
      roles: ['a', 'org/42:owner'],
    })
  })

  test('as many as may be fit into an access token and its cookie', async () => {
    const email = someEmail()
    const { json } = await server.register({ email })
    const roles = Array.from({ length: 9 }, (_, n) => `${'r'.repeat(60)}${String(n).padStart(2, '0')}`)
    await server.auth.api.grant({ id: json.user.id, roles })
    const login = await server.login({ email, transport: 'cookie' })
    for (const cookie of login.setCookies) expect(cookie.length).toBeLessThan(4096)
    expect(claimsOf(login.cookies['__Host-mapae_access'] ?? '')['roles']).toHaveLength(9)
  })

  test('of nobody are undefined', async () => {
    for (const id of ['nobody', '', "' or 1=1 --"]) {
      expect(await server.auth.api.grant({ id, roles: ['admin'] })).toBeUndefined()
      expect(await server.auth.api.withdraw({ id, roles: ['admin'] })).toBeUndefined()
    }
    expect(await query(server.database, "select id from accounts where roles like '%nobody%'")).toEqual([])
  })

  test('changed by 40 at once, in two processes: none is lost', async () => {
    const { id, tokens } = await person()
    const other = await startAuth(server.database)
    const old = Array.from({ length: 20 }, (_, n) => `old-${n}`)
    await server.auth.api.grant({ id, roles: old })
    const both = [server.auth.api, other.auth.api]
    await Promise.all(
      old.flatMap((role, n) => [
        both[n % 2]?.grant({ id, roles: [`new-${n}`], scopes: [`scope:${n}`] }),
        both[(n + 1) % 2]?.withdraw({ id, roles: [role] }),
      ]),
    )
    const user = await server.auth.api.findUser(id)
    expect(user?.roles).toEqual(Array.from({ length: 20 }, (_, n) => `new-${n}`).sort())
    expect(user?.scopes).toHaveLength(20)
    const [account] = await query(server.database, `select epoch from accounts where id = '${id}'`)
    expect(account).toEqual({ epoch: 20 })

    const renewed = await server.refresh(tokens)
    expect(claimsOf(renewed.json.access_token)['epoch']).toBe(20)
    expect((await me(renewed.json.access_token)).status).toBe(200)
  })
})
