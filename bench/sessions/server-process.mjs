import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * Starts `servers/NAME.mjs` in a process of its own and waits until it listens. The process ends with this one.
 *
 * @returns {Promise<{ name: string, port: number, pid: number, ask: (question: object) => Promise<any>, cpu: () => Promise<number>, stop: () => Promise<void> }>}
 *   `cpu` is the seconds for which processors worked for it since it started
 */
export async function startServer(file, settings = {}, { execArgv = [] } = {}) {
  const child = fork(
    fileURLToPath(new URL(`./servers/${file}.mjs`, import.meta.url)),
    [JSON.stringify(settings)],
    {
      execArgv: ['--no-warnings', ...execArgv],
      env: { ...process.env, NODE_ENV: 'production' },
    },
  )
  const waiting = new Map()
  let asked = 0
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const told = await new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', (code) => reject(new Error(`the server ${file} ended with ${code}`)))
  })
  child.on('message', ({ id, answer }) => {
    waiting.get(id)?.(answer)
    waiting.delete(id)
  })
  const ask = (question) =>
    new Promise((resolve) => {
      waiting.set(++asked, resolve)
      child.send({ id: asked, ...question })
    })
  return {
    ...told,
    pid: child.pid,
    ask,
    cpu: () => ask({ what: 'cpu' }),
    stop: async () => {
      child.send({ what: 'stop' })
      await ended
    },
  }
}
