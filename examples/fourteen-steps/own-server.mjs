import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const MAPAE = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url))

/**
 * A Mapae on a free port with a data folder of its own, gone with this program. Its access tokens live three seconds.
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function startOwnServer() {
  if (!existsSync(MAPAE)) throw new Error('Mapae is not built yet: npm run build')
  const data = await mkdtemp(join(tmpdir(), 'mapae-walk-'))
  const flags = ['--port', '0', '--data', data, '--access-lifetime', '3']
  const server = spawn(process.execPath, [MAPAE, 'start', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(server, 'exit')
  const stop = async () => {
    server.kill('SIGTERM')
    await ended
    await rm(data, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => void stop().then(() => process.exit(130)))

  const url = await Promise.race([urlOf(server.stdout), ended.then(() => undefined)])
  if (url) return { url, stop }
  await stop()
  throw new Error('the server did not start')
}

/** @param {import('node:stream').Readable} output @returns {Promise<string | undefined>} */
async function urlOf(output) {
  for await (const line of createInterface({ input: output })) {
    const [url] = /http:\/\/localhost:\d+/.exec(line) ?? []
    if (url) return url
  }
}
