import { errorCode } from '../error-code.ts'
import { type Answer, ask, isRecord } from './ask.ts'
import type { Finding } from './finding.ts'

/** Seconds that a guard takes a token to be dated ahead of its own clock. */
const CLOCK_TOLERANCE = 5

/** Whether somebody answers there, and whether it is an auth server of ours. */
export async function lookWhoAnswers(url: URL): Promise<Finding> {
  const answer = await ask(url, '/healthz').catch((error: unknown) => error)
  if (!isAnswer(answer)) {
    const advice = `Is it running, and is ${url.host} what reaches it? mapae start runs one on http://localhost:4000.`
    return { check: 'reachable', verdict: 'bad', says: `Nobody answers: ${whyNot(answer)}.`, advice }
  }
  if (answer.status >= 300 && answer.status < 400)
    return {
      check: 'reachable',
      verdict: 'bad',
      says: `It sends elsewhere (${answer.status}): ${answer.headers.get('location')}.`,
      advice: 'Ask for the address that it sends to; apps and guards must use that one too.',
    }
  if (answer.status !== 200 || answer.json?.['status'] !== 'ok')
    return {
      check: 'reachable',
      verdict: 'bad',
      says: `What answers is no Mapae: GET /healthz is ${answer.status}.`,
      advice:
        'If a proxy stands before it, let it pass /auth, /.well-known, /healthz, /readyz and /openapi.json on.',
    }
  return { check: 'reachable', verdict: 'good', says: 'An auth server answers.' }
}

/** What a running server says of itself, everything at once. */
export async function lookAtServer(url: URL, clock: () => number): Promise<readonly Finding[]> {
  return Promise.all([ready(url, clock), address(url), keys(url), cookies(url)]).then((found) => found.flat())
}

async function ready(url: URL, clock: () => number): Promise<readonly Finding[]> {
  const answer = await ask(url, '/readyz')
  const finding: Finding =
    answer.status === 200
      ? { check: 'ready', verdict: 'good', says: 'It is ready: its database answers, and its clock agrees.' }
      : {
          check: 'ready',
          verdict: 'bad',
          says: `It is not ready: ${titleOf(answer) ?? answer.status}.`,
          advice: 'Its standard error says more.',
        }
  return [finding, ...clockFinding(answer, clock)]
}

/** By the `Date` field, which is whole seconds. */
function clockFinding({ headers }: Answer, clock: () => number): readonly Finding[] {
  const theirs = Date.parse(headers.get('date') ?? '')
  if (Number.isNaN(theirs)) return []
  const ahead = Math.round((theirs - clock()) / 1000)
  if (Math.abs(ahead) <= CLOCK_TOLERANCE)
    return [{ check: 'clock', verdict: 'good', says: 'Its clock and the one here agree.' }]
  return [
    {
      check: 'clock',
      verdict: 'warning',
      says: `Its clock is ${Math.abs(ahead)} s ${ahead > 0 ? 'ahead of' : 'behind'} the one here.`,
      advice: `Guards on a machine whose clock is more than ${CLOCK_TOLERANCE} s behind refuse fresh tokens: set it by NTP.`,
    },
  ]
}

/** Tokens name the configured address as their issuer, and guards compare it letter by letter. */
async function address(url: URL): Promise<Finding> {
  const { json } = await ask(url, '/openapi.json')
  const servers = json?.['servers']
  const first: unknown = Array.isArray(servers) ? servers[0] : undefined
  const configured = isRecord(first) ? first['url'] : undefined
  if (configured === url.origin)
    return { check: 'address', verdict: 'good', says: `It goes by the name of ${url.origin}, as it should.` }
  return {
    check: 'address',
    verdict: 'bad',
    says: `It believes to be ${typeof configured === 'string' ? configured : 'elsewhere'}, and was asked as ${url.origin}.`,
    advice: `Start it with MAPAE_URL=${url.origin}, or ask for it by its own name: issuer, cookies and links are made of it.`,
  }
}

async function keys(url: URL): Promise<Finding> {
  const { status, json } = await ask(url, '/.well-known/jwks.json')
  const published = json?.['keys']
  if (status !== 200 || !Array.isArray(published) || published.length === 0)
    return {
      check: 'keys',
      verdict: 'bad',
      says: `It shows no keys: GET /.well-known/jwks.json is ${status}.`,
      advice: 'Guards cannot verify anything without them.',
    }
  return {
    check: 'keys',
    verdict: 'good',
    says: `It shows ${published.length === 1 ? 'one key' : `${published.length} keys`} to verify with.`,
  }
}

/** Logging out without having been logged in takes both cookies back, with the attributes that they are set with. */
async function cookies(url: URL): Promise<Finding> {
  const { headers } = await ask(url, '/auth/logout', {
    method: 'POST',
    headers: { 'sec-fetch-site': 'same-origin' },
  })
  const refresh = headers.getSetCookie().find((cookie) => cookie.includes('mapae_refresh'))
  if (refresh === undefined)
    return {
      check: 'cookies',
      verdict: 'bad',
      says: 'No cookies come through.',
      advice: 'A proxy in front must pass Set-Cookie on, and Sec-Fetch-Site to the server.',
    }
  const wanted = wantedAttributes(url)
  const missing = wanted.filter((attribute) => !hasAttribute(refresh, attribute))
  if (missing.length > 0)
    return {
      check: 'cookies',
      verdict: 'bad',
      says: `Its cookies come without ${missing.join(', ')}.`,
      advice:
        'A proxy in front must not rewrite cookies; over https the server must know that its address is https (MAPAE_URL).',
    }
  if (/;\s*domain=/i.test(refresh))
    return {
      check: 'cookies',
      verdict: 'warning',
      says: 'Its cookies are shared with sub-domains.',
      advice:
        'Each of them can read and plant sessions. Without dangerousCookieDomain they are bound to the one host.',
    }
  return { check: 'cookies', verdict: 'good', says: `Its cookies are ${wanted.join(', ')}.` }
}

function wantedAttributes({ protocol }: URL): readonly string[] {
  return ['HttpOnly', 'SameSite=Lax', 'Path=/', ...(protocol === 'https:' ? ['Secure'] : [])]
}

function hasAttribute(cookie: string, wanted: string): boolean {
  return cookie.split(';').some((part) => part.trim().toLowerCase() === wanted.toLowerCase())
}

function titleOf({ json }: Answer): string | undefined {
  return typeof json?.['title'] === 'string' ? json['title'] : undefined
}

function isAnswer(value: unknown): value is Answer {
  return isRecord(value) && 'headers' in value
}

/** The reason of a `fetch` that failed, in the words of its cause. */
function whyNot(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const known = reasons.get(String(errorCode(cause)))
  if (known !== undefined) return known
  return cause instanceof Error ? cause.message.replace(/\.$/, '') : 'it is not known why'
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'the connection is refused'],
  ['ENOTFOUND', 'there is no such host'],
  ['EAI_AGAIN', 'the name cannot be looked up'],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is its own, and nobody vouches for it'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'nobody known here vouches for its certificate'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'nobody known here vouches for its certificate'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name'],
])
