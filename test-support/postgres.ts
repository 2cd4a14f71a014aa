import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** A real PostgreSQL, as its superuser. Tests take their own database of it: see `databases.ts`. */
    postgresUrl: string
  }
}

/** Vitest's global set-up: one PostgreSQL for the run, up in well under a second, gone with the run however it ends. */
export default async function startPostgres(project: TestProject): Promise<() => Promise<void>> {
  const server = spawn(process.execPath, [fileURLToPath(new URL('./postgres-server.mjs', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true, // Ctrl-C goes to the whole process group, and must not stop the database before the tests
    windowsHide: true,
  })
  project.provide('postgresUrl', await urlOf(server))

  return async () => {
    server.stdin.end()
    if (server.exitCode === null) await once(server, 'exit')
  }
}

async function urlOf(server: ChildProcess): Promise<string> {
  if (!server.stdout) throw new Error('The PostgreSQL process has no standard output.')
  for await (const line of createInterface({ input: server.stdout })) return JSON.parse(line).url
  throw new Error('PostgreSQL for the tests did not start; the reason is printed above.')
}
