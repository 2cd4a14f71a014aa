import { StoreError } from '@mapae/server'
import { describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { type CallOptions, requestOf, startFreshAuth, URL_OF_AUTH } from './start-auth.ts'

describe.each(databases)('auth.api.getSession, on $name', (database) => {
  test('tells who is asking by the header and by the cookie, and null for nobody', async () => {
    const server = await startFreshAuth(database)
    const getSession = (options: CallOptions = {}, method = 'GET') =>
      server.auth.api.getSession(requestOf(method, `${URL_OF_AUTH}/an/app's/own/page`, options))
    const header = await server.register()
    const cookie = await server.register({ transport: 'cookie' })
    const { cookies } = cookie
    const fromOwnPage = { 'sec-fetch-site': 'same-origin' }

    expect(await getSession({ token: header.json.access_token })).toEqual({
      user: header.json.user,
      sessionId: header.json.session_id,
    })
    expect(await getSession({ cookies, headers: fromOwnPage })).toEqual({
      user: cookie.json.user,
      sessionId: cookie.json.session_id,
    })

    expect(await getSession(), 'nothing').toBeNull()
    expect(await getSession({ token: 'a.b.c' }), 'garbage').toBeNull()
    expect(await getSession({ headers: { authorization: 'Bearer a b' } }), 'malformed').toBeNull()
    const forged = { cookies, headers: { 'sec-fetch-site': 'cross-site' } }
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      expect(await getSession(forged, method), `forged ${method}`).toBeNull()

    await server.call('POST', '/auth/logout', { token: header.json.access_token })
    expect(await getSession({ token: header.json.access_token }), 'ended').toBeNull()
    server.clock.advance(301)
    expect(await getSession({ cookies, headers: fromOwnPage }), 'expired').toBeNull()
  })

  test('knows a person who comes by a link: a page load with cookies, from another site or none', async () => {
    const server = await startFreshAuth(database)
    const { cookies, json } = await server.register({ transport: 'cookie' })
    for (const site of ['none', 'same-site', 'cross-site']) {
      const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
      const request = requestOf('GET', `${URL_OF_AUTH}/app`, { cookies, headers })
      expect((await server.auth.api.getSession(request))?.user.id, site).toBe(json.user.id)
    }
  })

  test('knows nobody on a WebSocket that the page of another site opened', async () => {
    const server = await startFreshAuth(database)
    const { cookies, json } = await server.register({ transport: 'cookie' })
    const upgrade = (headers: Readonly<Record<string, string>>) =>
      requestOf('GET', `${URL_OF_AUTH}/live`, { cookies, headers: { upgrade: 'websocket', ...headers } })
    for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'same-site' }, {}])
      expect(await server.auth.api.getSession(upgrade(headers))).toBeNull()
    const own = await server.auth.api.getSession(upgrade({ origin: URL_OF_AUTH }))
    expect(own?.user.id).toBe(json.user.id)
  })

  test('throws when the database cannot tell: it never says that nobody is asking', async () => {
    const server = await startFreshAuth(database)
    const { json } = await server.register()
    const request = requestOf('GET', URL_OF_AUTH, { token: json.access_token })
    expect(await server.auth.api.getSession(request)).not.toBeNull()
    await server.auth.close()
    await expect(server.auth.api.getSession(request)).rejects.toThrow(StoreError)
    const me = await server.call('GET', '/auth/me', { token: json.access_token })
    expect([me.status, me.json.code]).toEqual([503, 'store_unavailable'])
  })
})
