import { readCookie } from '@mapae/guard/http'
import type { Context } from '../context.ts'
import type { Arrival } from './visit.ts'

/** The device token of a request: the body's wins over the cookie. One that is of no use is as good as none. */
export function deviceCredential(
  ctx: Context,
  visit: Arrival,
  inBody: string | undefined,
): string | undefined {
  if (inBody !== undefined) return inBody
  const sent = readCookie(visit.header('cookie'), deviceCookieName(ctx))
  return sent.type === 'value' ? sent.value : undefined
}

/** The cookie of the device token is named as those of the other two are. */
export function deviceCookieName({ cookieNames }: Context): string {
  return cookieNames.refresh.replace('refresh', 'device')
}
