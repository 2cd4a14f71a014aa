import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser, startBrowser } from '../../../../test-support/browser.ts'
import { atTheEnd } from '../../../server/test/start-auth.ts'
import { startStage } from './start-stage.ts'
import { type How, transcriptOf } from './transcript.ts'

let browser: Browser
beforeAll(async () => {
  if (hasBrowser) browser = await startBrowser()
}, 120_000)
afterAll(() => browser?.close())

/** What a page runs to begin the story somewhere; what a test gives to a browser as a function may not import anything. */
const beginnings = {
  page: (file: string) => `import('${file}')`,
  'dedicated worker': (file: string) => `new Worker('${file}', { type: 'module' })`,
  'shared worker': (file: string) => `new SharedWorker('${file}', { type: 'module' })`,
  'service worker': (file: string) => `navigator.serviceWorker.register('${file}', { type: 'module' })`,
}

describe.skipIf(!hasBrowser)('in a browser', () => {
  it.each<[keyof typeof beginnings, How]>([
    ['page', 'unbound'],
    ['dedicated worker', 'cookie'],
    ['dedicated worker', 'bound'],
    ['shared worker', 'cookie'],
    ['shared worker', 'bound'],
    ['service worker', 'cookie'],
    ['service worker', 'bound'],
  ])(
    'a %s lives through expiries, lost answers and restarts: %s',
    { timeout: 60_000 },
    async (where, how) => {
      // What is loaded on demand has to be in the one file of a service worker: `import()` is forbidden there (HTML §8.1.6.7).
      const files = await bundled({ codeSplitting: where !== 'service worker' })
      const { url, told } = await startStoryteller(how, files)
      const context = await browser.newContext()
      atTheEnd(() => context.close())
      const page = await context.newPage()
      await page.goto(url)
      await page.evaluate(`void ${beginnings[where]('/in-browser.js')}`)
      expect(await told).toEqual(transcriptOf(how))
    },
  )
})

/** A stage that serves these files and an empty page, and hears what was told. */
async function startStoryteller(how: How, files: ReadonlyMap<string, string>) {
  let hear: (lines: unknown) => void = () => {}
  const told = new Promise<unknown>((resolve) => {
    hear = resolve
  })
  const { url } = await startStage(async (request) => {
    const { pathname } = new URL(request.url)
    if (pathname === '/how') return new Response(how)
    if (pathname === '/') return new Response('<!doctype html><title>stage</title>', html)
    const file = files.get(pathname.slice(1))
    if (file !== undefined) return new Response(file, script)
    if (pathname !== '/told') return undefined
    hear(await request.json())
    return new Response()
  })
  return { url, told }
}

const html = { headers: { 'content-type': 'text/html' } }
const script = { headers: { 'content-type': 'text/javascript' } }

/** The files of the story, made as a bundler makes those of an app. */
async function bundled({ codeSplitting }: { codeSplitting: boolean }): Promise<ReadonlyMap<string, string>> {
  const build = await rolldown({
    input: fileURLToPath(new URL('./in-browser.mjs', import.meta.url)),
    platform: 'browser',
    logLevel: 'silent',
  })
  const { output } = await build.generate({ format: 'esm', codeSplitting })
  await build.close()
  return new Map(output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file.code]] : [])))
}
