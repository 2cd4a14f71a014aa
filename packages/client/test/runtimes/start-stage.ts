import type { IncomingMessage } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { createAuth } from '@mapae/server'
import { databases } from '../../../../test-support/databases.ts'
import { atTheEnd, SECRET } from '../../../server/test/start-auth.ts'
import { listen, loseAnswer } from '../start-site.ts'

/** What came to one path since somebody looked. */
interface Seen {
  requests: number
  refused: number
  readonly tokens: Set<string>
}

/**
 * A real auth server on a free port that does what story.mjs asks for: lets time pass, loses an answer, tells what it saw. `serve` answers
 * what else is asked for.
 */
export async function startStage(
  serve: (request: Request) => Promise<Response | undefined> = async () => undefined,
): Promise<{ readonly url: string }> {
  const [sqlite] = databases
  if (!sqlite) throw new Error('there is no database')
  const database = await sqlite.open()
  atTheEnd(() => database.close())
  const { server, origin: url } = await listen('localhost')
  let shift = 0
  const auth = createAuth({
    url,
    secret: SECRET,
    database: database.url,
    accessTokenLifetime: 300,
    dangerouslyIgnoreClockSkew: true,
    clock: () => Date.now() + shift,
  })
  atTheEnd(() => auth.close())

  const records = new Map<string, Seen>()
  const lost = new Set<string>()
  const recordOf = (path: string): Seen => {
    const record = records.get(path) ?? { requests: 0, refused: 0, tokens: new Set() }
    records.set(path, record)
    return record
  }
  const orders: Record<string, (query: URLSearchParams) => unknown> = {
    pass: (query) => {
      shift += Number(query.get('seconds')) * 1000
    },
    lose: (query) => lost.add(query.get('path') ?? ''),
    seen: (query) => {
      const path = query.get('path') ?? ''
      const { requests, refused, tokens } = recordOf(path)
      records.delete(path)
      return { requests, refused, tokens: tokens.size }
    },
  }
  const answer = async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url)
    const order = pathname.startsWith('/stage/') && orders[pathname.slice('/stage/'.length)]
    if (order) return Response.json(order(searchParams) ?? {})
    const own = await serve(request)
    if (own) return own
    const record = recordOf(pathname)
    record.requests++
    const response = await auth.fetch(request)
    if (response.status === 401) record.refused++
    const handedOut = [...response.headers.getSetCookie(), await response.clone().text()].join(' ')
    for (const [token] of handedOut.matchAll(/mrt_[\w.-]+/g)) record.tokens.add(token)
    return response
  }
  const listener = getRequestListener(answer)
  server.on('request', (request, response) => {
    if (lost.delete(pathOf(request, url))) loseAnswer(response)
    void listener(request, response)
  })
  return { url }
}

function pathOf({ url = '/' }: IncomingMessage, origin: string): string {
  return new URL(url, origin).pathname
}
