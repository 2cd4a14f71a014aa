import type { App } from '../app.ts'
import { refusals } from '../auth-error.ts'
import { askedBy } from '../http/asked-by.ts'
import { requireTrustedPage } from '../http/credentials.ts'
import { readForm } from '../http/form.ts'
import { drawPage, frameOf } from '../http/page.ts'
import { outcomeOf } from '../http/refuse.ts'
import type { Visit } from '../http/visit.ts'
import { askForPasswordReset } from '../password-reset.ts'
import { forgotBody } from './password-forgot.ts'

/** GET /forgot-password: a form. */
export async function forgotPasswordPage({ ctx }: App, visit: Visit): Promise<Response> {
  return drawPage(ctx, { name: 'forgot-password', data: { ...frameOf(ctx, visit), state: 'form' } })
}

/** POST /forgot-password: what `POST /auth/password/forgot` does, for a page without scripts. */
export async function forgotPasswordForm({ ctx }: App, visit: Visit): Promise<Response> {
  requireTrustedPage(ctx, visit)
  const { email } = await readForm(visit, forgotBody)
  const { problem } = await outcomeOf(() => askForPasswordReset(ctx, { email, ...askedBy(visit) }))
  const frame = frameOf(ctx, visit)
  if (!problem) return drawPage(ctx, { name: 'forgot-password', data: { ...frame, state: 'sent' } })
  const data = { ...frame, state: 'form', problem } as const
  return drawPage(ctx, { name: 'forgot-password', data, status: refusals[problem].status })
}
