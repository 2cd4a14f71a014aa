// Tells the story in a process of Node.js, Bun or Deno, or in a thread of one: `process.mjs URL bound|unbound`.
import process from 'node:process'
import { memoryStore } from '@mapae/client'
import { tell } from './story.mjs'

const [url = '', how] = process.argv.slice(2)
const store = memoryStore()
await tell(
  { url, name: 'somebody', options: { dangerouslyUnbound: how === 'unbound' }, open: () => store },
  (line) => console.log(JSON.stringify(line)),
)
