import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { START, startFreshAuth, type TestAuth } from './start-auth.ts'

describe.each(databases)('the person asking, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database)
  })

  test('registers and is served the user that the access token names', async () => {
    const registered = await server.register({ email: 'Me@Example.com', name: '마패' })
    expect(registered.status).toBe(201)
    const me = await server.call('GET', '/auth/me', { token: registered.json.access_token })
    expect(me.status).toBe(200)
    expect(me.headers.get('cache-control')).toBe('no-store')
    expect(me.json.user).toEqual(registered.json.user)
    expect(me.json.user).toEqual({
      id: expect.stringMatching(/^[A-Za-z0-9_-]{26}$/),
      name: '마패',
      email: 'Me@Example.com',
      email_verified: false,
      username: null,
      roles: [],
      scopes: [],
      created_at: START / 1000,
    })
  })
})
