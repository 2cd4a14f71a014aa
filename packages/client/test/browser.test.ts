import type { Client } from '@mapae/client'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser, startBrowser } from '../../../test-support/browser.ts'
import { PASSWORD, someEmail } from '../../server/test/start-auth.ts'
import { type Site, startSite } from './start-site.ts'

declare global {
  /** In the page. */
  var client: Client
  var shiftClock: (milliseconds: number) => void
  var changes: unknown[]
  var authUrl: string
  var makeClient: (url: string, delivery: 'cookie' | 'header') => void
}

const LIFE = 300_000
let browser: Browser | undefined
beforeAll(async () => {
  if (hasBrowser) browser = await startBrowser()
}, 120_000)
afterAll(() => browser?.close())

describe.skipIf(!hasBrowser)('in a real browser', () => {
  it('five tabs with twenty calls at once live through thirty expiries and lost answers', {
    timeout: 300_000,
  }, async () => {
    const site = await startSite()
    const profile = await openProfile()
    const tabs = await Promise.all(
      Array.from({ length: 5 }, () => openTab(profile, site, `${site.url}/page`)),
    )
    await register(tabs[0] as Page)
    site.lossOf.set('/auth/refresh', 0.2)
    site.lossOf.set('/auth/me', 0.2)
    for (let expiry = 1; expiry <= 30; expiry++) {
      await pass(site, tabs, LIFE)
      const served = await Promise.all(tabs.map((tab) => tab.evaluate(callMany, 20)))
      expect(served.flat()).toEqual(Array(100).fill(200))
      expect(site.generation()).toBe(expiry + 1)
    }
    expect(site.requests.get('/auth/me')).toBeGreaterThan(3000 * 1.1) // answers did get lost
    expect(site.events.map(({ type }) => type).filter((type) => type.startsWith('session.'))).not.toContain(
      'session.reuse_detected',
    )
    expect(await Promise.all(tabs.map((tab) => tab.evaluate(() => globalThis.changes)))).not.toContainEqual(
      expect.objectContaining({ type: 'logged_out' }),
    )
  })

  it('a laptop sleeps for an hour and wakes', { timeout: 60_000 }, async () => {
    const site = await startSite()
    const profile = await openProfile()
    const tabs = await Promise.all([1, 2].map(() => openTab(profile, site, `${site.url}/page`)))
    await register(tabs[0] as Page)
    const sessions = await Promise.all(tabs.map((tab) => profile.newCDPSession(tab)))
    for (const session of sessions) await session.send('Page.setWebLifecycleState', { state: 'frozen' })
    site.shiftClock(3_600_000)
    for (const session of sessions) await session.send('Page.setWebLifecycleState', { state: 'active' })
    await Promise.all(tabs.map((tab) => tab.evaluate((by) => globalThis.shiftClock(by), 3_600_000)))
    const served = await Promise.all(tabs.map((tab) => tab.evaluate(callMany, 5)))
    expect(served.flat()).toEqual(Array(10).fill(200))
    expect(site.generation()).toBe(2)
  })

  it.each([600_000, -600_000])(
    'a clock that is wrong by %i ms does no harm',
    { timeout: 60_000 },
    async (wrongBy) => {
      const site = await startSite()
      for (const delivery of ['cookie', 'header'] as const) {
        const profile = await openProfile()
        const tab = await openTab(profile, site, `${site.url}/page`, { delivery, wrongBy })
        await register(tab)
        for (let expiry = 0; expiry < 3; expiry++) {
          expect(await tab.evaluate(callMany, 3)).toEqual([200, 200, 200])
          await pass(site, [tab], LIFE)
        }
      }
    },
  )

  it('a refresh token copied out of one profile is useless in another', { timeout: 60_000 }, async () => {
    const site = await startSite()
    const mine = await openTab(await openProfile(), site, `${site.url}/page`, { delivery: 'header' })
    await register(mine)
    const copied = await mine.evaluate(readStore)
    expect(copied).toContain('mrt_')

    const profile = await openProfile()
    const theirs = await openTab(profile, site, `${site.url}/page`, { delivery: 'header' })
    await theirs.evaluate(() => globalThis.client.session())
    await theirs.evaluate(writeStore, copied)
    await theirs.reload()
    await startClient(theirs, site, { delivery: 'header' })
    expect(await theirs.evaluate(callMany, 1)).toEqual(['session_ended key_lost'])
    const { access, refresh } = JSON.parse(copied)
    const byHand = await theirs.evaluate(refreshByHand, { access, refresh })
    expect(byHand).toBe('400 invalid_dpop_proof')
    // Nor does it hurt its owner.
    await pass(site, [mine], LIFE)
    expect(await mine.evaluate(callMany, 3)).toEqual([200, 200, 200])
  })

  it('cookie delivery works from an allowed origin of the same site', { timeout: 60_000 }, async () => {
    const site = await startSite()
    const tab = await openTab(await openProfile(), site, `${site.sameSite}/page`)
    await register(tab)
    await pass(site, [tab], LIFE)
    expect(await tab.evaluate(callMany, 3)).toEqual([200, 200, 200])
    await tab.reload()
    await startClient(tab, site)
    expect(await tab.evaluate(async () => (await globalThis.client.session())?.user.email)).toMatch('@')
    await tab.evaluate(() => globalThis.client.logout())
    expect(await tab.evaluate(callMany, 1)).toEqual([401])
  })

  it('header delivery works from another site, where cookies do not', { timeout: 60_000 }, async () => {
    const site = await startSite()
    const tab = await openTab(await openProfile(), site, `${site.crossSite}/page`, { delivery: 'header' })
    await register(tab)
    await pass(site, [tab], LIFE)
    expect(await tab.evaluate(callMany, 3)).toEqual([200, 200, 200])
    await tab.reload()
    await startClient(tab, site, { delivery: 'header' })
    expect(await tab.evaluate(async () => (await globalThis.client.session())?.bound)).toBe(true)
    expect(await tab.evaluate(callMany, 1)).toEqual([200])

    const other = await openTab(await openProfile(), site, `${site.crossSite}/page`)
    await expect(register(other)).rejects.toThrow(/cookies_blocked/)
  })
})

describe.skipIf(!hasBrowser)('the example', () => {
  it.each(['plain-html', 'react/'])(
    '%s registers, survives a reload, and logs out in every tab',
    { timeout: 60_000 },
    async (name) => {
      const site = await startSite()
      const profile = await openProfile()
      const [one, other] = await Promise.all([profile.newPage(), profile.newPage()])
      const problems: string[] = []
      one.on('pageerror', ({ message }) => problems.push(message))
      const address = `${site.sameSite}/${name}?auth=${site.url}`
      await one.goto(address)
      const email = someEmail()
      await one.fill('[name=email]', email)
      await one.fill('[name=password]', 'short')
      await one.click('text=Register')
      await one.waitForFunction(() => document.querySelector('[role=alert]')?.textContent !== '')
      await one.fill('[name=password]', PASSWORD)
      await one.click('text=Register')
      await one.waitForSelector(`h1:has-text("Hello, ${email}")`)
      await one.reload()
      await one.waitForSelector(`h1:has-text("Hello, ${email}")`)
      await other.goto(address)
      await other.click('text=Log out')
      await other.waitForSelector('text=Log in')
      await one.waitForSelector('h1:has-text("Log in")')
      expect(problems).toEqual([])
    },
  )
})

interface TabOptions {
  readonly delivery?: 'cookie' | 'header'
  readonly wrongBy?: number
}

async function openProfile(): Promise<BrowserContext> {
  if (!browser) throw new Error('there is no browser')
  return browser.newContext()
}

/** A tab with a client in it. */
async function openTab(
  profile: BrowserContext,
  site: Site,
  address: string,
  options: TabOptions = {},
): Promise<Page> {
  const tab = await profile.newPage()
  await tab.addInitScript((wrongBy: number) => {
    const { now } = Date
    let shift = wrongBy
    Date.now = () => now() + shift
    globalThis.shiftClock = (milliseconds) => {
      shift += milliseconds
    }
  }, options.wrongBy ?? 0)
  await tab.goto(address)
  await startClient(tab, site, options)
  return tab
}

async function startClient(
  tab: Page,
  { url }: Site,
  { delivery = 'cookie' }: TabOptions = {},
): Promise<void> {
  await tab.waitForFunction(() => 'makeClient' in globalThis)
  await tab.evaluate(({ url, delivery }) => globalThis.makeClient(url, delivery), { url, delivery })
}

/** Time passes, for the server and for every tab. */
async function pass(site: Site, tabs: readonly Page[], milliseconds: number): Promise<void> {
  site.shiftClock(milliseconds)
  await Promise.all(tabs.map((tab) => tab.evaluate((by) => globalThis.shiftClock(by), milliseconds)))
}

function register(tab: Page): Promise<unknown> {
  const registration = { email: someEmail(), password: PASSWORD }
  return tab.evaluate((registration) => globalThis.client.register(registration), registration)
}

// What follows runs in the page.

function callMany(count: number): Promise<readonly (number | string)[]> {
  return Promise.all(
    Array.from({ length: count }, () =>
      globalThis.client.fetch(`${globalThis.authUrl}/auth/me`).then(
        ({ status }) => status,
        ({ code, endReason }) => `${code} ${endReason}`,
      ),
    ),
  )
}

function readStore(): Promise<string> {
  return new Promise((resolve) => {
    indexedDB.open('mapae').onsuccess = ({ target }) => {
      const { result } = target as IDBOpenDBRequest
      const get = result.transaction('session').objectStore('session').get('session')
      get.onsuccess = () => resolve(String(get.result))
    }
  })
}

function writeStore(text: string): Promise<void> {
  return new Promise((resolve) => {
    indexedDB.open('mapae').onsuccess = ({ target }) => {
      const { result } = target as IDBOpenDBRequest
      const transaction = result.transaction('session', 'readwrite')
      transaction.objectStore('session').put(text, 'session')
      transaction.oncomplete = () => resolve()
    }
  })
}

/** What a thief tries with a copy of both tokens. */
async function refreshByHand({ access, refresh }: { access: string; refresh: string }): Promise<string> {
  const response = await fetch(`${globalThis.authUrl}/auth/refresh`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `DPoP ${access}` },
    body: JSON.stringify({ refresh_token: refresh }),
  })
  return `${response.status} ${(await response.json()).code}`
}
