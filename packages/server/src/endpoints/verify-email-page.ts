import { z } from 'zod'
import type { App } from '../app.ts'
import { type RefusalCode, refusals } from '../auth-error.ts'
import { accountOfCookies } from '../current-session.ts'
import { findEmailCode, proveEmail } from '../email-verification.ts'
import { askedBy } from '../http/asked-by.ts'
import { code, password } from '../http/body.ts'
import { requireTrustedPage } from '../http/credentials.ts'
import { readForm } from '../http/form.ts'
import { codeInAddress, drawPage, frameOf } from '../http/page.ts'
import { outcomeOf } from '../http/refuse.ts'
import type { Visit } from '../http/visit.ts'

export const verifyForm: z.ZodType<{ readonly code: string; readonly password?: string | undefined }> =
  z.object({ code, password: password.optional() })

/** GET /verify-email?code=…: a form. Programs that open the links of mails use nothing up. */
export async function verifyEmailPage(app: App, visit: Visit): Promise<Response> {
  return showForm(app, visit, { code: codeInAddress(visit) })
}

/** POST /verify-email: what `POST /auth/email/verify` does, for a page without scripts. */
export async function verifyEmailForm(app: App, visit: Visit): Promise<Response> {
  const { ctx } = app
  requireTrustedPage(ctx, visit)
  const proof = await readForm(visit, verifyForm)
  const sessionOf = await accountOfCookies(app, visit)
  const { problem } = await outcomeOf(() => proveEmail(ctx, { ...proof, sessionOf }, askedBy(visit)))
  if (problem) return showForm(app, visit, { code: proof.code, problem })
  return drawPage(ctx, { name: 'verify-email', data: { ...frameOf(ctx, visit), state: 'done' } })
}

async function showForm(
  app: App,
  visit: Visit,
  { code, problem }: { code: string; problem?: RefusalCode },
): Promise<Response> {
  const { ctx } = app
  const frame = frameOf(ctx, visit)
  const found = await findEmailCode(ctx, code)
  if (!found)
    return drawPage(ctx, { name: 'verify-email', data: { ...frame, state: 'expired' }, status: 400 })
  const form = {
    code,
    email: found.value,
    isChange: found.purpose === 'change-email',
    needsPassword: (await accountOfCookies(app, visit)) !== found.accountId,
    ...(problem && { problem }),
  }
  const status = problem ? refusals[problem].status : 200
  return drawPage(ctx, { name: 'verify-email', data: { ...frame, state: 'form', ...form }, status })
}
