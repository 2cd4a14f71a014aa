// Tells the story in a page or in any worker of one. The server says how, and gets what was told.
import { indexedDbStore } from '@mapae/client/stores/indexeddb'
import { localStorageStore } from '@mapae/client/stores/local-storage'
import { tell } from './story.mjs'

/** @type {Record<string, Pick<Parameters<typeof tell>[0], 'options' | 'open'>>} */
const ways = {
  cookie: {},
  bound: { options: { delivery: 'header' }, open: () => indexedDbStore({ name: 'story' }) },
  unbound: { options: { delivery: 'header', dangerouslyUnbound: true }, open: storeAtHand },
}

/** Workers have no `localStorage`. */
function storeAtHand() {
  return 'localStorage' in globalThis ? localStorageStore() : indexedDbStore({ name: 'unbound story' })
}

async function run() {
  /** @type {unknown[]} */
  const lines = []
  try {
    const how = await (await fetch('/how')).text()
    await tell({ url: location.origin, name: how, ...ways[how] }, (line) => lines.push(line))
  } catch (error) {
    lines.push(String(error))
  }
  await fetch('/told', { method: 'POST', body: JSON.stringify(lines) })
}

// A service worker lives for as long as an event of its own is under way.
if ('registration' in globalThis)
  addEventListener('install', (event) => {
    if ('waitUntil' in event && event.waitUntil instanceof Function) event.waitUntil(run())
  })
else run()
