import { z } from 'zod'
import type { App } from '../app.ts'
import { askedBy } from '../http/asked-by.ts'
import { code, password, readBody } from '../http/body.ts'
import { defaultTransport, requireTrustedPage } from '../http/credentials.ts'
import { deviceCookie } from '../http/deliver.ts'
import type { Visit } from '../http/visit.ts'
import { resetPassword } from '../password-reset.ts'

export const resetBody: z.ZodType<{ readonly code: string; readonly password: string }> = z.object({
  code,
  password,
})

/** POST /auth/password/reset: 204; every session has ended, and nobody is logged in. A browser is a known device from then. */
export async function resetEndpoint({ ctx }: App, visit: Visit): Promise<Response> {
  requireTrustedPage(ctx, visit)
  const { deviceToken } = await resetPassword(ctx, await readBody(visit, resetBody), askedBy(visit))
  const headers = new Headers({ 'cache-control': 'no-store' })
  if (defaultTransport(visit) === 'cookie') headers.append('set-cookie', deviceCookie(ctx, deviceToken))
  return new Response(null, { status: 204, headers })
}
