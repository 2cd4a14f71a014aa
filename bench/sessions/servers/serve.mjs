// The side of a measured server that talks to the process which measures it.

/** The settings that the server was started with. */
export const settings = JSON.parse(process.argv[2] ?? '{}')

/**
 * Tells that the server is ready, and answers questions until it is told to stop or left alone.
 *
 * @param {object} ready what to tell, `port` first of all
 * @param {{ stop?: () => Promise<void> } & Record<string, (question: any) => unknown>} answers
 */
export function serving(ready, { stop = async () => {}, ...answers } = {}) {
  const known = { cpu: cpuSeconds, memory, ...answers }
  process.on('message', async ({ id, what, ...question }) => {
    if (what === 'stop') {
      await stop()
      process.exit(0)
    }
    process.send({ id, answer: await known[what](question) })
  })
  process.on('disconnect', () => process.exit(0))
  process.send(ready)
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** With `collect`, and `--expose-gc`, after a garbage collection. */
function memory({ collect }) {
  if (collect) globalThis.gc?.()
  return process.memoryUsage()
}
