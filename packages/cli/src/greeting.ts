import { databaseName } from './database-name.ts'
import type { Paint } from './paint.ts'
import { printable } from './printable.ts'
import type { Settings } from './settings.ts'
import { tour } from './tour.ts'

/** What the server says when it is ready: where to look, and what to try. */
export function greeting(
  { url, port, database }: Settings,
  { paint, withTour, since }: { paint: Paint; withTour: boolean; since: number },
): string {
  const base = (url ?? `http://localhost:${port}`).replace(/\/$/, '')
  const ready = `ready after ${((performance.now() - since) / 1000).toFixed(2)} s`
  const lines = [
    `${paint.bold('마패 Mapae')} is running on ${paint.accent(base)}  ${paint.dim(`(${ready})`)}`,
    `${paint.dim('API')} ${base}/openapi.json   ${paint.dim('keys')} ${base}/.well-known/jwks.json   ${paint.dim('data')} ${printable(databaseName(database))}`,
    ...(withTour ? ['', 'Try it: paste these lines into another terminal, one by one.', '', ...shown()] : []),
  ]
  return `${lines.join('\n')}\n`

  function shown(): string[] {
    return [
      ...tour(`http://localhost:${port}`).map((line) => `  ${paint.accent(line)}`),
      '',
      paint.dim('The whole life of a token: node examples/fourteen-steps. Ctrl-C stops the server.'),
    ]
  }
}
