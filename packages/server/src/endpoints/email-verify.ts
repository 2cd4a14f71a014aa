import { z } from 'zod'
import type { App } from '../app.ts'
import { requireSession } from '../current-session.ts'
import { proveEmail, resendVerification } from '../email-verification.ts'
import { accepted } from '../http/accepted.ts'
import { askedBy } from '../http/asked-by.ts'
import { code, password, readBody } from '../http/body.ts'
import { accessCredential, requireTrustedPage } from '../http/credentials.ts'
import type { Visit } from '../http/visit.ts'

export const verifyBody: z.ZodType<{ readonly code: string; readonly password?: string | undefined }> =
  z.object({ code, password: password.optional() })

/**
 * POST /auth/email/verify: 204; the address is proved, or, by the code of a change, is the account's now. The code
 * comes with an access token of the account, or with its password.
 */
export async function verifyEndpoint(app: App, visit: Visit): Promise<Response> {
  const { ctx } = app
  requireTrustedPage(ctx, visit)
  const proof = await readBody(visit, verifyBody)
  const current = accessCredential(ctx, visit) && (await requireSession(app, visit))
  await proveEmail(ctx, { ...proof, sessionOf: current?.session.accountId }, askedBy(visit))
  return new Response(null, { status: 204, headers: { 'cache-control': 'no-store' } })
}

/** POST /auth/email/verify/resend: 202; a new mail is on its way, and the code of the one before is void. */
export async function resendEndpoint(app: App, visit: Visit): Promise<Response> {
  const { session } = await requireSession(app, visit)
  await resendVerification(app.ctx, { accountId: session.accountId, ...askedBy(visit) })
  return accepted()
}
