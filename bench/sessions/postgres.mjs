import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SERVER = fileURLToPath(new URL('../../test-support/postgres-server.mjs', import.meta.url))

/** A real PostgreSQL that commits to the disk, from the binaries that npm installed; gone with this process. */
export async function startPostgres() {
  const server = spawn(process.execPath, [SERVER, '--durable'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  for await (const line of createInterface({ input: server.stdout })) {
    const { url } = JSON.parse(line)
    return {
      url,
      stop: async () => {
        server.stdin.end()
        if (server.exitCode === null) await once(server, 'exit')
      },
    }
  }
  throw new Error('PostgreSQL did not start; the reason is printed above.')
}
