// The same in a thread: `thread.mjs URL bound|unbound`.
import process from 'node:process'
import { Worker } from 'node:worker_threads'

const thread = new Worker(new URL('./process.mjs', import.meta.url), { argv: process.argv.slice(2) })
thread.on('exit', (code) => {
  process.exitCode = code
})
