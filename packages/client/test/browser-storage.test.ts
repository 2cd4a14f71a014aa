import type { Change, Client } from '@mapae/client'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser, startBrowser } from '../../../test-support/browser.ts'
import { PASSWORD, someEmail } from '../../server/test/start-auth.ts'
import { type Site, startSite } from './start-site.ts'

declare global {
  /** In the page: another copy of the client, and what it heard of. */
  var copy: Client
  var heard: string[]
}

let browser: Browser | undefined
beforeAll(async () => {
  if (hasBrowser) browser = await startBrowser()
}, 120_000)
afterAll(() => browser?.close())

const deliveries = ['cookie', 'header'] as const
type Delivery = (typeof deliveries)[number]
const told = { type: 'store_failed' }

describe.skipIf(!hasBrowser)('in a real browser whose IndexedDB', () => {
  for (const delivery of deliveries) {
    describe(`${delivery === 'cookie' ? 'remembers a session in cookies' : 'holds a session'} and`, () => {
      it('has no room: logs in, is renewed, says that it is in memory, and goes into the store when there is room', async () => {
        const site = await startSite()
        const profile = await newProfile()
        const tab = await openTab(profile, site, delivery)
        const devtools = await profile.newCDPSession(tab)
        await devtools.send('Storage.overrideQuotaForOrigin', { origin: site.url, quotaSize: 1 })
        await register(tab)
        for (let expiry = 0; expiry < 3; expiry++) await servedAfterExpiry(site, tab)
        expect((await changesOf(tab)).filter(({ type }) => type === told.type)).toEqual([told])

        await devtools.send('Storage.overrideQuotaForOrigin', { origin: site.url })
        await servedAfterExpiry(site, tab)
        const next = await openTab(profile, site, delivery)
        expect(await next.evaluate(statuses, 3)).toEqual([200, 200, 200])
        expect(await next.evaluate(isBound)).toBe(delivery === 'header')
        expect(await changesOf(next)).not.toContainEqual(told)
      })

      it('runs full, and the page is left: goes on from what the store has', async () => {
        const { site, tab } = await loggedIn(delivery)
        await tab.evaluate(() => {
          IDBObjectStore.prototype.put = () => {
            throw new DOMException('no room', 'QuotaExceededError')
          }
        })
        for (let expiry = 0; expiry < 3; expiry++) await servedAfterExpiry(site, tab)
        expect(await changesOf(tab)).toContainEqual(told)
        await tab.reload()
        await startClient(tab, site, delivery)
        expect(await tab.evaluate(statuses, 3)).toEqual([200, 200, 200])
      })

      it('was closed under it, is of a newer version, or is thrown out in the middle: opens it again', async () => {
        const { site, profile, tab } = await loggedIn(delivery)
        await tab.evaluate(() => {
          const { transaction } = IDBDatabase.prototype
          IDBDatabase.prototype.transaction = function (...all) {
            IDBDatabase.prototype.transaction = transaction
            this.close()
            return transaction.apply(this, all)
          }
        })
        await servedAfterExpiry(site, tab)
        const other = await openTab(profile, site, delivery)
        await other.evaluate(async () => {
          for (const { name = '', version = 1 } of await indexedDB.databases())
            await new Promise((resolve, reject) => {
              const request = indexedDB.open(name, version + 1)
              request.onsuccess = () => resolve(request.result.close())
              request.onerror = () => reject(request.error)
              request.onblocked = () => reject(new Error('blocked'))
            })
        })
        for (const one of [tab, other]) await servedAfterExpiry(site, one)
        for (const one of [tab, other]) expect(await changesOf(one)).not.toContainEqual(told)
      })
    })
  }

  it.each([
    ['is not there', () => Object.defineProperty(globalThis, 'indexedDB', { value: undefined })],
    [
      'is not allowed',
      () => {
        IDBFactory.prototype.open = () => {
          throw new DOMException('The operation is insecure.', 'SecurityError')
        }
      },
    ],
    [
      'never answers',
      () => {
        const { open } = IDBFactory.prototype
        IDBFactory.prototype.open = function (...all) {
          const request = open.apply(this, all)
          Object.defineProperty(request, 'onsuccess', { set: () => {} })
          return request
        }
      },
    ],
  ])('%s: logs in, is renewed and logs out by cookies', { timeout: 120_000 }, async (_, breakIt) => {
    const site = await startSite()
    const profile = await newProfile()
    const tab = await openTab(profile, site, 'cookie', breakIt)
    await register(tab)
    for (let expiry = 0; expiry < 2; expiry++) await servedAfterExpiry(site, tab)
    expect(await changesOf(tab)).toContainEqual(told)
    expect(await changesOf(tab)).not.toContainEqual(expect.objectContaining({ type: 'logged_out' }))
    await tab.evaluate(() => globalThis.client.logout())
    expect(await tab.evaluate(statuses, 1)).toEqual([401])
  })

  it('was emptied by the person: finds the session by its cookies', async () => {
    const { site, profile, tab } = await loggedIn('cookie')
    const devtools = await profile.newCDPSession(tab)
    await devtools.send('Storage.clearDataForOrigin', { origin: site.url, storageTypes: 'indexeddb' })
    await servedAfterExpiry(site, tab)
    expect(await tab.evaluate(async () => (await globalThis.client.session())?.user.email)).toMatch('@')
  })
})

describe.skipIf(!hasBrowser)('in a real browser, two copies of the client on one page', () => {
  it.each(deliveries)(
    'share a session like two tabs (%s delivery)',
    { timeout: 60_000 },
    async (delivery) => {
      const { site, tab } = await loggedIn(delivery)
      await tab.addScriptTag({
        type: 'module',
        content: `
        import { createClient } from '/mapae/index.js'
        import { indexedDbStore } from '/mapae/stores/indexeddb.js'
        const store = ${delivery === 'header'} ? { store: indexedDbStore() } : {}
        globalThis.copy = createClient({ url: globalThis.authUrl, delivery: '${delivery}', ...store })
        globalThis.heard = []
        globalThis.copy.onChange((change) => globalThis.heard.push(change.type))`,
      })
      await tab.waitForFunction(() => 'copy' in globalThis)
      const before = site.generation()
      for (let expiry = 1; expiry <= 5; expiry++) {
        site.shiftClock(300_000)
        await tab.evaluate(() => globalThis.shiftClock(300_000))
        expect(await tab.evaluate(statusesOfBoth)).toEqual(Array(10).fill(200))
        expect(site.generation()).toBe(delivery === 'cookie' ? before + expiry : 1)
      }
      await tab.evaluate(() => globalThis.client.logout())
      await tab.waitForFunction(() => globalThis.heard.includes('logged_out'))
      expect(await tab.evaluate(() => globalThis.copy.session())).toBeUndefined()
      await tab.evaluate((who) => globalThis.copy.register(who).then(() => {}), {
        email: someEmail(),
        password: PASSWORD,
      })
      expect(await tab.evaluate(statusesOfBoth)).toEqual(Array(10).fill(200))
      expect(site.events.map(({ type }) => type)).not.toContain('session.reuse_detected')
    },
  )
})

async function loggedIn(delivery: Delivery) {
  const site = await startSite()
  const profile = await newProfile()
  const tab = await openTab(profile, site, delivery)
  await register(tab)
  return { site, profile, tab }
}

async function newProfile(): Promise<BrowserContext> {
  if (!browser) throw new Error('there is no browser')
  return browser.newContext()
}

async function openTab(
  profile: BrowserContext,
  site: Site,
  delivery: Delivery,
  before: () => void = () => {},
): Promise<Page> {
  const tab = await profile.newPage()
  await tab.addInitScript(() => {
    const { now } = Date
    let shift = 0
    Date.now = () => now() + shift
    globalThis.shiftClock = (milliseconds) => {
      shift += milliseconds
    }
  })
  await tab.addInitScript(before)
  await tab.goto(`${site.url}/page`)
  await startClient(tab, site, delivery)
  return tab
}

async function startClient(tab: Page, site: Site, delivery: Delivery): Promise<void> {
  await tab.waitForFunction(() => 'makeClient' in globalThis)
  await tab.evaluate(({ url, delivery }) => globalThis.makeClient(url, delivery), { url: site.url, delivery })
}

async function register(tab: Page): Promise<void> {
  const who = { email: someEmail(), password: PASSWORD }
  await tab.evaluate((who) => globalThis.client.register(who).then(() => {}), who)
}

async function servedAfterExpiry(site: Site, tab: Page): Promise<void> {
  site.shiftClock(300_000)
  await tab.evaluate(() => globalThis.shiftClock(300_000))
  expect(await tab.evaluate(statuses, 3)).toEqual([200, 200, 200])
}

function changesOf(tab: Page): Promise<readonly Change[]> {
  return tab.evaluate(() => globalThis.changes as Change[])
}

// What follows runs in the page.

async function isBound(): Promise<boolean | undefined> {
  return (await globalThis.client.session())?.bound
}

function statuses(count: number): Promise<readonly (number | string)[]> {
  return Promise.all(
    Array.from({ length: count }, () =>
      globalThis.client.fetch(`${globalThis.authUrl}/auth/me`).then(
        ({ status }) => status,
        ({ code, endReason, cause }) => `${code} ${endReason} ${cause}`,
      ),
    ),
  )
}

async function statusesOfBoth(): Promise<readonly (number | string)[]> {
  const calls = [globalThis.client, globalThis.copy].flatMap((one) =>
    Array.from({ length: 5 }, () => one.fetch(`${globalThis.authUrl}/auth/me`)),
  )
  return (await Promise.all(calls)).map(({ status }) => status)
}
