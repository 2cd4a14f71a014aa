import { readCookie } from '@mapae/guard/http'
import type { Context } from '../context.ts'
import { authenticSession } from '../renewal.ts'
import type { SessionRecord, Transport } from '../session.ts'
import type { Visit } from './visit.ts'

/**
 * The session whose cookies a login by cookie delivery puts its own over: see `replaced-session.ts`. Twice the same cookie tells nothing,
 * and is no reason to keep anybody from logging in.
 */
export async function replacedBy(
  ctx: Context,
  visit: Visit,
  transport: Transport,
): Promise<SessionRecord | undefined> {
  const sent = readCookie(visit.header('cookie'), ctx.cookieNames.refresh)
  return transport === 'cookie' && sent.type === 'value' ? authenticSession(ctx, sent.value) : undefined
}
