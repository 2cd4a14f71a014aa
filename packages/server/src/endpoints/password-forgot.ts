import { z } from 'zod'
import type { App } from '../app.ts'
import { accepted } from '../http/accepted.ts'
import { askedBy } from '../http/asked-by.ts'
import { readBody, text } from '../http/body.ts'
import { requireTrustedPage } from '../http/credentials.ts'
import type { Visit } from '../http/visit.ts'
import { askForPasswordReset } from '../password-reset.ts'

export const forgotBody: z.ZodType<{ readonly email: string }> = z.object({ email: text(254) })

/** POST /auth/password/forgot: 202, whether the address is known or not; if it is, a mail is on its way. */
export async function forgotEndpoint({ ctx }: App, visit: Visit): Promise<Response> {
  requireTrustedPage(ctx, visit)
  const { email } = await readBody(visit, forgotBody)
  await askForPasswordReset(ctx, { email, ...askedBy(visit) })
  return accepted()
}
