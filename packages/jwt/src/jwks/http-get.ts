import { lookup } from 'node:dns'
import { once } from 'node:events'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { type Get, unavailable } from './download.ts'

/**
 * A GET without redirects that connects only to addresses that `isForbidden` does not name. Those of a host name are judged
 * as they are about to be connected to, so that the name cannot stand for another one in between (DNS rebinding). Fails with
 * `jwks_unavailable` when one of them is forbidden. What is an address in the URL is taken as judged.
 */
export function httpGet(isForbidden: (address: string) => boolean): Get {
  return async (url, { headers, signal }) => {
    const request = url.startsWith('https:') ? requestHttps : requestHttp
    const asked = request(url, { headers, signal, agent: false, lookup: judging(isForbidden) })
    // Once the answer has begun its body tells of an abort too, and nobody waits for this one any more.
    asked.on('error', () => {})
    asked.end()
    const answer: IncomingMessage = (await once(asked, 'response'))[0]
    return { status: Number(answer.statusCode), headers: new Headers(textsOf(answer)), body: answer }
  }
}

function judging(isForbidden: (address: string) => boolean): LookupFunction {
  return (name, options, callback) => {
    lookup(name, { ...options, all: true }, (error, found) => {
      const [first] = found ?? []
      if (error || !first) callback(error, [])
      else if (found.some(({ address }) => isForbidden(address)))
        callback(unavailable('is at a private address'), [])
      else if (options.all) callback(null, found)
      else callback(null, first.address, first.family)
    })
  }
}

function textsOf({ headers }: IncomingMessage): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' ? [[name, value]] : [],
  )
}
