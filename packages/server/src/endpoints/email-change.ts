import { z } from 'zod'
import type { App } from '../app.ts'
import { requireSession } from '../current-session.ts'
import { askForEmailChange } from '../email-change.ts'
import { accepted } from '../http/accepted.ts'
import { askedBy } from '../http/asked-by.ts'
import { password, readBody, text } from '../http/body.ts'
import type { Visit } from '../http/visit.ts'

export const emailChangeBody: z.ZodType<{ readonly email: string; readonly password: string }> = z.object({
  email: text(254),
  password,
})

/** POST /auth/email/change: 202, whether the new address is somebody's or not; nothing changes before its code is used. */
export async function emailChangeEndpoint(app: App, visit: Visit): Promise<Response> {
  const { session } = await requireSession(app, visit)
  const body = await readBody(visit, emailChangeBody)
  const asked = { accountId: session.accountId, sessionId: session.id, ...body }
  await askForEmailChange(app.ctx, asked, askedBy(visit))
  return accepted()
}
