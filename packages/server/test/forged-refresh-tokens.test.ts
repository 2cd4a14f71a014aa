import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { readTables } from './read-database.ts'
import { type Answer, startFreshAuth, type TestAuth } from './start-auth.ts'

describe.each(databases)('forged refresh tokens, on $name', (database) => {
  let server: TestAuth
  let mine: Answer
  let another: Answer
  beforeAll(async () => {
    server = await startFreshAuth(database)
    mine = await server.register()
    another = await server.register()
  })

  test('get one answer, whatever is wrong with them, and change nothing', async () => {
    const before = await readTables(server.database)
    const token = mine.json.refresh_token
    const [k = '', sid = '', , secret = ''] = token.split('.')
    const [, otherSid = '', , otherSecret = ''] = another.json.refresh_token.split('.')
    const last = token.at(-1) === 'A' ? 'B' : 'A'
    const forged = [
      '',
      'x',
      'null',
      token.slice(0, -1),
      `${token}A`,
      `${token} `,
      ` ${token}`,
      `${token}\n`,
      `${token}\0`,
      `${token.slice(0, -1)}${last}`,
      token.toUpperCase(),
      token.replace('mrt_', 'mrt-'),
      `mrt_AAAAAA.${sid}.1.${secret}`,
      `${k}.${sid}.2.${secret}`,
      `${k}.${sid}.0.${secret}`,
      `${k}.${sid}.01.${secret}`,
      `${k}.${sid}.-1.${secret}`,
      `${k}.${sid}.1e0.${secret}`,
      `${k}.${sid}.999999999.${secret}`,
      `${k}.${sid}.9999999999999999999.${secret}`,
      `${k}.${sid}.1.${otherSecret}`,
      mine.json.access_token,
      'k'.repeat(1024),
      '마패'.repeat(100),
      "' or 1=1 --",
    ]
    const answers = new Set<string>()
    for (const refresh_token of forged) {
      const answer = await server.refresh({ access_token: mine.json.access_token, refresh_token })
      expect([answer.status, answer.json.code], JSON.stringify(refresh_token)).toEqual([401, 'invalid_grant'])
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token"/)
      answers.add(answer.text)

      const logout = { body: { refresh_token } }
      expect((await server.call('POST', '/auth/logout', logout)).status).toBe(204)
    }
    expect(answers.size, 'one indistinguishable answer').toBe(1)
    for (const other of [otherSid, '0'.repeat(26)]) {
      const crossed = await server.refresh({
        access_token: mine.json.access_token,
        refresh_token: `${k}.${other}.1.${secret}`,
      })
      expect([crossed.status, crossed.json.code], 'the access token is of another').toEqual([
        401,
        'invalid_token',
      ])
    }
    expect(await readTables(server.database)).toEqual(before)
  })

  test('leave the session as it was: its own tokens renew it', async () => {
    const renewed = await server.refresh(mine.json)
    expect(renewed.status).toBe(200)
    expect(renewed.json.refresh_token).toMatch(/\.2\.[\w-]{43}$/)
  })
})
