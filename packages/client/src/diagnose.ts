import { bindsSessions } from './bound-keys.ts'
import type { Finding } from './client.ts'
import type { Context } from './context.ts'
import { parseMembers } from './wire.ts'

/**
 * Looks for what is misconfigured between this page and its auth server, by asking it as a person's browser would. Nothing that it
 * finds holds a secret.
 */
export async function diagnose(ctx: Context): Promise<readonly Finding[]> {
  const findings = [...ofBinding(ctx), ...ofAddresses(ctx), ...(await ofServer(ctx))]
  return findings.some(({ severity }) => severity === 'error') || ctx.delivery === 'header'
    ? findings
    : [...findings, ...(await ofCookies(ctx))]
}

function ofBinding(ctx: Context): readonly Finding[] {
  if (ctx.delivery === 'cookie' || bindsSessions(ctx)) return []
  const text =
    'Sessions are not bound to a key of this device: a copied refresh token is worth as much as the original.'
  return [{ severity: 'warning', code: 'not_bound', text }]
}

function ofAddresses({ url, pageOrigin, delivery }: Context): readonly Finding[] {
  if (pageOrigin === undefined) return []
  const [page, server] = [new URL(pageOrigin), new URL(url)]
  const findings: Finding[] = []
  if (page.protocol === 'https:' && server.protocol === 'http:')
    findings.push(
      error('mixed_content', `A page on https cannot call ${url}: serve the auth server over https.`),
    )
  if (globalThis.isSecureContext === false)
    findings.push(
      error('insecure_page', `${pageOrigin} is not on https or localhost: no keys, no Secure cookies.`),
    )
  if (delivery === 'cookie' && !isMaybeSameSite(page.hostname, server.hostname))
    findings.push(
      error(
        'cross_site_cookies',
        `${pageOrigin} is of another site than ${url}, so its cookies (SameSite=Lax) are not sent: use delivery: 'header', or serve both from one site.`,
      ),
    )
  return findings
}

/** Two hosts that share no more than a top-level domain are of two sites; which others are, only the browser knows. */
function isMaybeSameSite(one: string, other: string): boolean {
  if (one === other) return true
  if (/^[\d.]+$|:/.test(one + other)) return false
  const [ones, others] = [one.split('.').reverse(), other.split('.').reverse()]
  return ones[0] === others[0] && (ones[1] === others[1] || ones[0] === 'localhost')
}

async function ofServer(ctx: Context): Promise<readonly Finding[]> {
  const { url, pageOrigin = 'this origin' } = ctx
  const [isThere, isReadable] = await Promise.all([
    answerOf(ctx, '/healthz', { mode: 'no-cors' }),
    answerOf(ctx, '/auth/me', {}),
  ])
  if (!isThere)
    return [error('server_away', `${url} does not answer: is it running, and is its certificate good?`)]
  if (!isReadable)
    return [
      error('origin_not_allowed', `${url} keeps its answers from ${pageOrigin}: add it to allowedOrigins.`),
    ]
  const { code, user } = parseMembers(isReadable.text)
  if (code !== undefined || user !== undefined) return [] // a page of its own origin sends cookies along
  return [
    error('not_an_auth_server', `${url} answers, and not as Mapae does: is it the auth server's address?`),
  ]
}

/** Whether a request with cookies from this page is taken: the answer to one without a session says which. */
async function ofCookies(ctx: Context): Promise<readonly Finding[]> {
  const answer = await answerOf(ctx, '/auth/token', { method: 'POST', credentials: 'include' })
  if (!answer)
    return [
      error(
        'origin_not_allowed',
        `${ctx.url} takes no cookies from ${ctx.pageOrigin}: add it to allowedOrigins.`,
      ),
    ]
  const { code } = parseMembers(answer.text)
  if (code !== 'origin_not_allowed') return []
  return [
    error(
      'origin_not_allowed',
      `${ctx.url} refuses ${ctx.pageOrigin}: add it to allowedOrigins, to the letter.`,
    ),
  ]
}

async function answerOf(
  ctx: Context,
  path: string,
  init: RequestInit,
): Promise<{ readonly text: string } | undefined> {
  try {
    const response = await ctx.fetch(ctx.url + path, init)
    return { text: await response.text() }
  } catch {
    return undefined
  }
}

function error(code: string, text: string): Finding {
  return { severity: 'error', code, text }
}
