import { z } from 'zod'
import type { App } from '../app.ts'
import { askedBy } from '../http/asked-by.ts'
import { code, password, readBody } from '../http/body.ts'
import { requireTrustedPage } from '../http/credentials.ts'
import type { Visit } from '../http/visit.ts'
import { resetPassword } from '../password-reset.ts'

export const resetBody: z.ZodType<{ readonly code: string; readonly password: string }> = z.object({
  code,
  password,
})

/** POST /auth/password/reset: 204; every session has ended, and nobody is logged in. */
export async function resetEndpoint({ ctx }: App, visit: Visit): Promise<Response> {
  requireTrustedPage(ctx, visit)
  await resetPassword(ctx, await readBody(visit, resetBody), askedBy(visit))
  return new Response(null, { status: 204, headers: { 'cache-control': 'no-store' } })
}
