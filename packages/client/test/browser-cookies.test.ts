import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser, startBrowser } from '../../../test-support/browser.ts'
import { PASSWORD, someEmail } from '../../server/test/start-auth.ts'
import { type Site, startSite } from './start-site.ts'

let browser: Browser | undefined
beforeAll(async () => {
  if (hasBrowser) browser = await startBrowser()
}, 120_000)
afterAll(() => browser?.close())

describe.skipIf(!hasBrowser)('in a real browser, a login beside a renewal whose answer is slow', () => {
  it.each(['in the same tab', 'in another tab'])(
    'keeps its cookies: the renewal %s is given up, and what waits for it is served',
    { timeout: 60_000 },
    async (where) => {
      const { site, profile, tab, next } = await twoPeople()
      const other = where === 'in the same tab' ? tab : await openTab(profile, site)
      expect(await servedBesideLogin({ site, tab, other, next })).toBe(next)
      await settle(tab)
      for (const one of [tab, other]) {
        expect(await one.evaluate(whoIsServed)).toBe(next)
        expect(await one.evaluate(whoIsShown)).toBe(next)
      }
    },
  )

  it('keeps its cookies where the renewal reaches the server after it, and cannot be given up', {
    timeout: 60_000,
  }, async () => {
    const { site, tab, next } = await twoPeople()
    const slow = site.hold('/auth/refresh', 'request')
    const byHand = tab.evaluate(async () => {
      const { status } = await fetch('/auth/refresh', { method: 'POST' })
      return status
    })
    await slow.arrived
    expect(await tab.evaluate(logIn, { email: next, password: PASSWORD })).toBe(next)
    slow.letGo()
    expect(await byHand).toBe(401)
    expect(await tab.evaluate(whoIsServed)).toBe(next)
  })

  it('that cannot be given up, shows nobody as somebody else: who logged in hears that they are not', {
    timeout: 60_000,
  }, async () => {
    const { site, profile, tab, next } = await twoPeople({ locks: false })
    const other = await openTab(profile, site)
    expect(await servedBesideLogin({ site, tab, other, next })).toBe('session_ended replaced')
    await settle(tab)
    for (const one of [tab, other]) {
      expect(await one.evaluate(whoIsShown)).toBeUndefined()
      expect(await one.evaluate(whoIsServed)).toMatch(/^(401|session_ended replaced)$/)
    }
    expect(await other.evaluate(() => globalThis.changes)).toContainEqual({
      type: 'logged_out',
      reason: 'replaced',
    })
  })

  it('is followed by a logout that is as good', { timeout: 60_000 }, async () => {
    const { site, tab } = await twoPeople()
    await expire(site, tab)
    const slow = site.hold('/auth/refresh', 'answer')
    const waiting = tab.evaluate(whoIsServed)
    await slow.arrived
    await tab.evaluate(() => globalThis.client.logout())
    slow.letGo()
    expect(await waiting).toMatch(/^(401|session_ended .*)$/)
    await settle(tab)
    expect(await tab.context().cookies()).not.toContainEqual(
      expect.objectContaining({ name: expect.stringMatching(/access|refresh/) }),
    )
  })
})

describe.skipIf(!hasBrowser)('in a real browser, after the answer to a renewal got lost for good', () => {
  it('a page of another origin goes on, and the page that asked brings the cookies up to date', {
    timeout: 60_000,
  }, async () => {
    const { site, profile, tab, first } = await twoPeople()
    const other = await openTab(profile, site, { origin: site.sameSite })
    expect(await other.evaluate(whoIsServed)).toBe(first)
    await expire(site, tab, other)
    site.lossOf.set('/auth/refresh', 1)
    expect(await tab.evaluate(whoIsServed)).toMatch('server_away')
    await tab.close()
    site.lossOf.clear()
    expect(site.generation()).toBe(2)

    for (let expiry = 0; expiry < 3; expiry++) {
      await expire(site, other)
      expect(await other.evaluate(whoIsServed)).toBe(first)
      expect(await other.evaluate(whoIsShown)).toBe(first)
    }
    const again = await openTab(profile, site)
    expect(await again.evaluate(whoIsServed)).toBe(first)
    await expire(site, again, other)
    for (const one of [again, other]) expect(await one.evaluate(whoIsServed)).toBe(first)
    expect(await other.evaluate(() => globalThis.changes)).not.toContainEqual(
      expect.objectContaining({ type: 'logged_out' }),
    )
    expect(site.events.map(({ type }) => type)).not.toContain('session.reuse_detected')
  })
})

/** A tab in which one person is logged in, and the address of another. */
async function twoPeople(options: { locks?: boolean } = {}) {
  const site = await startSite()
  if (!browser) throw new Error('there is no browser')
  const profile = await browser.newContext()
  const tab = await openTab(profile, site, options)
  const people = [someEmail(), someEmail()]
  for (const email of people) {
    await tab.evaluate((who) => globalThis.client.register(who), { email, password: PASSWORD })
    await tab.evaluate(() => globalThis.client.logout())
  }
  const [first = '', next = ''] = people
  await tab.evaluate(logIn, { email: first, password: PASSWORD })
  return { site, profile, tab, first, next }
}

async function openTab(
  profile: BrowserContext,
  site: Site,
  { locks = true, origin = site.url } = {},
): Promise<Page> {
  const tab = await profile.newPage()
  await tab.addInitScript((locks: boolean) => {
    const { now } = Date
    let shift = 0
    Date.now = () => now() + shift
    globalThis.shiftClock = (milliseconds) => {
      shift += milliseconds
    }
    if (!locks) Object.defineProperty(navigator, 'locks', { value: undefined })
  }, locks)
  await tab.goto(`${origin}/page`)
  await tab.waitForFunction(() => 'makeClient' in globalThis)
  await tab.evaluate((url) => globalThis.makeClient(url, 'cookie'), site.url)
  return tab
}

/** The access token is over, for the server and for these tabs. */
async function expire(site: Site, ...tabs: readonly Page[]): Promise<void> {
  site.shiftClock(300_000)
  for (const tab of new Set(tabs)) await tab.evaluate(() => globalThis.shiftClock(300_000))
}

/** What a call of `tab` comes to whose renewal is answered only after the next person has logged in on `other`. */
async function servedBesideLogin({
  site,
  tab,
  other,
  next,
}: {
  readonly site: Site
  readonly tab: Page
  readonly other: Page
  readonly next: string
}): Promise<string> {
  await expire(site, tab, other)
  const slow = site.hold('/auth/refresh', 'answer')
  const waiting = tab.evaluate(whoIsServed)
  await slow.arrived
  expect(await other.evaluate(logIn, { email: next, password: PASSWORD })).toBe(next)
  slow.letGo()
  return waiting
}

/** Long enough for an answer to come, and for cookies to be kept. */
async function settle(tab: Page): Promise<void> {
  await tab.waitForTimeout(500)
}

// What follows runs in the page.

async function logIn(who: { email: string; password: string }): Promise<string | null> {
  const { session } = await globalThis.client.login(who)
  return session.user.email
}

/** Whose answer the server gives to a request with the browser's cookies. */
async function whoIsServed(): Promise<string> {
  try {
    const response = await globalThis.client.fetch(`${globalThis.authUrl}/auth/me`)
    return response.ok ? (await response.json()).user.email : String(response.status)
  } catch (error) {
    const { code, endReason } = error as { code?: string; endReason?: string }
    return `${code} ${endReason}`
  }
}

async function whoIsShown(): Promise<string | null | undefined> {
  return (await globalThis.client.session())?.user.email
}
