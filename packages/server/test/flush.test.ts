import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { type Answer, someEmail, startFreshAuth, type TestAuth } from './start-auth.ts'

// A disk that takes as long as a test wants, or fails.
const disk = vi.hoisted(() => ({ flushes: 0, isHeld: Promise.resolve(), fails: false }))
vi.mock(import('node:fs/promises'), async (original) => {
  const real = await original()
  const open: typeof real.open = async (path, ...how) => {
    const handle = await real.open(path, ...how)
    if (!String(path).endsWith('-wal')) return handle
    const datasync = handle.datasync.bind(handle)
    handle.datasync = async () => {
      disk.flushes++
      await disk.isHeld
      if (disk.fails) throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
      await datasync()
    }
    return handle
  }
  return { ...real, open }
})

function hold(): () => void {
  let release = () => {}
  disk.isHeld = new Promise((resolve) => {
    release = resolve
  })
  return release
}

const PATIENT = { timeout: 30_000 }
const sqlite = databases.filter(({ name }) => name === 'sqlite')

describe.each(sqlite)('the disk under $name', (database) => {
  let server: TestAuth
  beforeEach(async () => {
    server = await startFreshAuth(database)
    await server.auth.ready()
  })
  afterEach(() => {
    disk.isHeld = Promise.resolve()
    disk.fails = false
  })

  test.each([
    ['a statement by itself, a renewal', (people: Tokens) => server.refresh(people)],
    [
      'a transaction, a logout',
      ({ access_token }: Tokens) => server.call('POST', '/auth/logout', { token: access_token }),
    ],
  ])('is waited for before %s is answered; others are served meanwhile', async (_, write) => {
    const { json } = await server.register({ email: someEmail() })
    const { json: other } = await server.register({ email: someEmail() })
    const release = hold()
    let isAnswered = false
    const answer = write(json).finally(() => {
      isAnswered = true
    })
    const before = disk.flushes
    await vi.waitUntil(() => disk.flushes > before, PATIENT)
    for (let times = 0; times < 5; times++)
      expect((await server.call('GET', '/auth/me', { token: other.access_token })).status).toBe(200)
    expect(isAnswered).toBe(false)
    release()
    expect((await answer).status).toBeLessThan(300)
  })

  test('is waited for once by all whose commits ended while it was busy', async () => {
    const { json } = await server.register()
    const people = await Promise.all(Array.from({ length: 10 }, () => server.register()))
    const release = hold()
    const before = disk.flushes
    const first = server.refresh(json)
    await vi.waitUntil(() => disk.flushes > before, PATIENT)
    const others = people.map((each) => server.refresh(each.json))
    for (let times = 0; times < 20; times++) await new Promise(setImmediate)
    release()
    for (const { status } of await Promise.all([first, ...others])) expect(status).toBe(200)
    expect(disk.flushes - before).toBeLessThan(5)
  })

  test('is not believed again once it has failed', async () => {
    const { json } = await server.register()
    disk.fails = true
    const failed = await server.refresh(json)
    expect([failed.status, failed.json.code]).toEqual([503, 'store_unavailable'])
    disk.fails = false
    for (const answer of [
      await server.refresh(json),
      await server.register(),
      await server.call('GET', '/auth/me', { token: json.access_token }),
    ])
      expect([answer.status, answer.json.code]).toEqual([503, 'store_unavailable'])
  })
})

type Tokens = Answer['json']
