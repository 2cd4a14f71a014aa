import type { App } from '../app.ts'
import { type RefusalCode, refusals } from '../auth-error.ts'
import { askedBy } from '../http/asked-by.ts'
import { requireTrustedPage } from '../http/credentials.ts'
import { deviceCookie } from '../http/deliver.ts'
import { readForm } from '../http/form.ts'
import { codeInAddress, drawPage, frameOf } from '../http/page.ts'
import { outcomeOf } from '../http/refuse.ts'
import type { Visit } from '../http/visit.ts'
import { findCode } from '../one-time-code.ts'
import { resetPassword } from '../password-reset.ts'
import { resetForm } from './password-reset.ts'

/** GET /reset-password?code=…: a form. Programs that open the links of mails use nothing up. */
export async function resetPasswordPage(app: App, visit: Visit): Promise<Response> {
  return showForm(app, visit, { code: codeInAddress(visit) })
}

/** POST /reset-password: what `POST /auth/password/reset` does, for a page without scripts. */
export async function resetPasswordForm(app: App, visit: Visit): Promise<Response> {
  const { ctx } = app
  requireTrustedPage(ctx, visit)
  const sent = await readForm(visit, resetForm)
  const outcome = await outcomeOf(() => resetPassword(ctx, sent, askedBy(visit)))
  if (outcome.problem) return showForm(app, visit, { code: sent.code, problem: outcome.problem })
  return drawPage(ctx, {
    name: 'reset-password',
    data: { ...frameOf(ctx, visit), state: 'done' },
    headers: [['set-cookie', deviceCookie(ctx, outcome.done.deviceToken)]],
  })
}

async function showForm(
  { ctx }: App,
  visit: Visit,
  { code, problem }: { code: string; problem?: RefusalCode },
): Promise<Response> {
  const name = 'reset-password'
  const frame = frameOf(ctx, visit)
  const found = await findCode(ctx, { code, purpose: 'reset-password' })
  if (!found) return drawPage(ctx, { name, data: { ...frame, state: 'expired' }, status: 400 })
  const form = { code, email: found.value, ...(problem && { problem }) }
  const status = problem ? refusals[problem].status : 200
  return drawPage(ctx, { name, data: { ...frame, state: 'form', ...form }, status })
}
