import { z } from 'zod'
import type { App } from '../app.ts'
import { type RefusalCode, refusals } from '../auth-error.ts'
import { code, password } from '../http/body.ts'
import { requireTrustedPage } from '../http/credentials.ts'
import { deliverTokens } from '../http/deliver.ts'
import { readForm } from '../http/form.ts'
import { codeInAddress, drawPage, frameOf } from '../http/page.ts'
import { outcomeOf } from '../http/refuse.ts'
import type { Visit } from '../http/visit.ts'
import { findCode } from '../one-time-code.ts'
import { completeRegistration } from '../registration.ts'

export const completeForm: z.ZodType<{ readonly code: string; readonly password: string }> = z.object({
  code,
  password,
})

/** GET /finish-registration?code=…: a form. Programs that open the links of mails use nothing up. */
export async function finishRegistrationPage(app: App, visit: Visit): Promise<Response> {
  return showForm(app, visit, { code: codeInAddress(visit) })
}

/** POST /finish-registration: what `POST /auth/register/complete` does, by cookies, for a page without scripts. */
export async function finishRegistrationForm(app: App, visit: Visit): Promise<Response> {
  const { ctx } = app
  requireTrustedPage(ctx, visit)
  const sent = await readForm(visit, completeForm)
  const how = { transport: 'cookie', from: visit.from } as const
  const outcome = await outcomeOf(() => completeRegistration(ctx, sent, how))
  if (outcome.problem) return showForm(app, visit, { code: sent.code, problem: outcome.problem })
  const { tokens, deviceToken } = outcome.done
  const delivered = deliverTokens(ctx, tokens, { ...how, deviceToken })
  return drawPage(ctx, {
    name: 'finish-registration',
    data: { ...frameOf(ctx, visit), state: 'done' },
    headers: delivered.headers.getSetCookie().map((cookie) => ['set-cookie', cookie] as const),
  })
}

async function showForm(
  { ctx }: App,
  visit: Visit,
  { code, problem }: { code: string; problem?: RefusalCode },
): Promise<Response> {
  const name = 'finish-registration'
  const frame = frameOf(ctx, visit)
  const found = await findCode(ctx, { code, purpose: 'register' })
  if (!found) return drawPage(ctx, { name, data: { ...frame, state: 'expired' }, status: 400 })
  const form = { code, email: found.value, ...(problem && { problem }) }
  const status = problem ? refusals[problem].status : 200
  return drawPage(ctx, { name, data: { ...frame, state: 'form', ...form }, status })
}
