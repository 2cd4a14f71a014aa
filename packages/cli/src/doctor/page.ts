import { isLoopback } from '@mapae/guard/http'
import { ask } from './ask.ts'
import type { Finding } from './finding.ts'
import { siteRelation } from './site-relation.ts'

/** What a page of this origin can do with the server, and how it should have its tokens delivered. */
export async function lookAtPage(url: URL, origin: URL): Promise<readonly Finding[]> {
  const relation = siteRelation(url, origin)
  if (relation === 'same-origin')
    return [
      {
        check: 'delivery',
        verdict: 'good',
        says: 'The page is of the same origin: cookies work with nothing more to set.',
      },
    ]
  const scheme = schemeFinding(url, origin)
  const allowed = await allowedFinding(url, origin)
  return [...scheme, allowed, deliveryFinding(relation)]
}

function schemeFinding(url: URL, origin: URL): readonly Finding[] {
  if (origin.protocol === url.protocol) return []
  // To this machine, browsers let pages over https speak http (Secure Contexts §3.1, Mixed Content §4).
  if (origin.protocol === 'https:' && !isLoopback(url.hostname))
    return [
      {
        check: 'page_scheme',
        verdict: 'bad',
        says: 'The page is https and the server http: browsers block such requests.',
        advice: 'Serve both over https.',
      },
    ]
  return [
    {
      check: 'page_scheme',
      verdict: 'warning',
      says: 'One of page and server is http and the other https: for cookies they are two sites.',
      advice: 'Serve both over https. Nothing that a page over http holds is safe.',
    },
  ]
}

async function allowedFinding(url: URL, { origin }: URL): Promise<Finding> {
  const { headers } = await ask(url, '/auth/refresh', {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,dpop,idempotency-key',
    },
  })
  const named = headers.get('access-control-allow-origin')
  if (named === null)
    return {
      check: 'page_allowed',
      verdict: 'bad',
      says: `Pages of ${origin} may not call it.`,
      advice: `Start it with --allowed-origin ${origin} (MAPAE_ALLOWED_ORIGINS). Scheme, host and port must be those of the page.`,
    }
  if (named !== origin || headers.get('access-control-allow-credentials') !== 'true')
    return {
      check: 'page_allowed',
      verdict: 'bad',
      says: `Something in front answers for it: Access-Control-Allow-Origin is ${named}.`,
      advice: 'The server answers preflights itself; let the proxy pass OPTIONS on and add no CORS fields.',
    }
  return { check: 'page_allowed', verdict: 'good', says: `Pages of ${origin} may call it.` }
}

function deliveryFinding(relation: 'same-site' | 'cross-site'): Finding {
  if (relation === 'cross-site')
    return {
      check: 'delivery',
      verdict: 'warning',
      says: "The page is of another site: browsers do not send it the server's cookies (SameSite=Lax).",
      advice:
        'Use header delivery there (transport: "header"), with a device key (DPoP), or put both below one domain.',
    }
  return {
    check: 'delivery',
    verdict: 'good',
    says: "The page looks to be of the same site: cookies travel when it asks with credentials: 'include'.",
    advice: 'What calls other hosts gets an access token for memory from POST /auth/token.',
  }
}
