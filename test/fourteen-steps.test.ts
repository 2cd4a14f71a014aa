import { createGuard } from '@mapae/guard'
import { describe, expect, test } from 'vitest'
import { startFreshAuth, type TestAuth, URL_OF_AUTH } from '../packages/server/test/start-auth.ts'
import { databases } from '../test-support/databases.ts'

const person = { email: 'walker@example.com', password: 'correct horse battery' }

describe.each(databases)('the fourteen steps of the founding document, on $name', (database) => {
  test('by header delivery', async () => {
    const server = await startFreshAuth(database)
    await server.register(person)
    // 1–4: the person logs in, both tokens are issued, the refresh token is recorded beside the user.
    const login = await server.login(person)
    expect(login.status).toBe(200)
    const { access_token, refresh_token, expires_in } = login.json
    // 5–7: the access token is sent, verified, and answered with the data.
    expect((await server.call('GET', '/auth/me', { token: access_token })).json.user.email).toBe(person.email)
    // 8–11: it expires, is sent all the same, and the server says so.
    server.clock.advance(expires_in)
    const refused = await server.call('GET', '/auth/me', { token: access_token })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toContain('expired')
    // 12–14: both tokens go in, the new one comes in the header, and the request goes on.
    const renewed = await server.refresh({ access_token, refresh_token })
    expect(renewed.status).toBe(200)
    const field = renewed.headers.get('authorization') ?? ''
    expect(field).toBe(`Bearer ${renewed.json.access_token}`)
    expect(field).not.toContain(access_token)
    expect((await server.call('GET', '/auth/me', { headers: { authorization: field } })).status).toBe(200)
    // 12–14 in one request: the guard renews, the API request goes on, the token is in the response header.
    server.clock.advance(expires_in)
    const admitted = await ask(server, {
      authorization: field,
      'mapae-refresh-token': renewed.json.refresh_token,
    })
    expect(admitted.sub).toBe(login.json.user.id)
    expect(admitted.headers['set-cookie']).toBeUndefined()
    const again = { authorization: admitted.headers['authorization'] ?? '' }
    expect((await server.call('GET', '/auth/me', { headers: again })).status).toBe(200)
  })

  test('by cookie delivery', async () => {
    const server = await startFreshAuth(database)
    const headers = { 'sec-fetch-site': 'same-origin' }
    await server.register(person)
    const login = await server.login(person, { headers })
    expect(login.json.access_token).toBeUndefined()
    const { cookies } = login
    expect((await server.call('GET', '/auth/me', { cookies, headers })).json.user.email).toBe(person.email)
    server.clock.advance(login.json.expires_in)
    const refused = await server.call('GET', '/auth/me', { cookies, headers })
    expect([refused.status, refused.json.code, refused.setCookies]).toEqual([401, 'invalid_token', []])
    const renewed = await server.call('POST', '/auth/refresh', { cookies, headers })
    expect(renewed.status).toBe(200)
    expect((await server.call('GET', '/auth/me', { cookies: renewed.cookies, headers })).status).toBe(200)
    server.clock.advance(login.json.expires_in)
    const cookie = Object.entries(renewed.cookies)
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    const admitted = await ask(server, { cookie, ...headers })
    expect(admitted.sub).toBe(login.json.user.id)
    expect(admitted.headers['authorization']).toMatch(/^Bearer eyJ/)
    expect(admitted.headers['set-cookie']).toMatch(/^__Host-mapae_access=eyJ.*HttpOnly/)
  })
})

/** One request to an API behind a guard in the auth server's own process. */
async function ask(server: TestAuth, fields: Readonly<Record<string, string>>) {
  const guard = createGuard({
    issuer: URL_OF_AUTH,
    keys: server.auth.keys,
    renew: server.auth.renew,
    clock: server.clock.now,
  })
  const admission = await guard.check({ method: 'GET', url: '/orders', header: (name) => fields[name] })
  if (admission.type === 'refused') throw new Error(`refused: ${admission.body.code}`)
  return { sub: admission.claims.sub, headers: Object.fromEntries(admission.headers) }
}
