import { z } from 'zod'
import type { App } from '../app.ts'
import { askedBy } from '../http/asked-by.ts'
import { code, password, readBody } from '../http/body.ts'
import { defaultTransport, requireTrustedPage } from '../http/credentials.ts'
import { deviceCookie } from '../http/deliver.ts'
import { privateJson } from '../http/private-json.ts'
import type { Visit } from '../http/visit.ts'
import { resetPassword } from '../password-reset.ts'
import type { Transport } from '../session.ts'

interface ResetForm {
  readonly code: string
  readonly password: string
}

export const resetForm: z.ZodType<ResetForm> = z.object({ code, password })

export const resetBody: z.ZodType<ResetForm & { readonly transport?: Transport | undefined }> = z.object({
  code,
  password,
  transport: z.enum(['cookie', 'header']).optional(),
})

/**
 * POST /auth/password/reset: every session has ended, and nobody is logged in. The device is known from then on: 204 with a cookie, or 200
 * with `device_token`, as at `/auth/login`.
 */
export async function resetEndpoint({ ctx }: App, visit: Visit): Promise<Response> {
  requireTrustedPage(ctx, visit)
  const { transport = defaultTransport(visit), ...chosen } = await readBody(visit, resetBody)
  const { deviceToken } = await resetPassword(ctx, chosen, askedBy(visit))
  if (transport === 'header') return privateJson({ device_token: deviceToken })
  const headers = { 'cache-control': 'no-store', 'set-cookie': deviceCookie(ctx, deviceToken) }
  return new Response(null, { status: 204, headers })
}
