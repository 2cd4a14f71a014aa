import { z } from 'zod'
import type { App } from '../app.ts'
import { requireSession } from '../current-session.ts'
import { askedBy } from '../http/asked-by.ts'
import { password, readBody } from '../http/body.ts'
import { deliverTokens } from '../http/deliver.ts'
import type { Visit } from '../http/visit.ts'
import { changePassword } from '../password-change.ts'

export const passwordBody: z.ZodType<{
  readonly current_password: string
  readonly new_password: string
}> = z.object({ current_password: password, new_password: password })

/** POST /auth/password: 200 with the tokens of a new session, delivered as the caller's were; every other has ended. */
export async function passwordEndpoint(app: App, visit: Visit): Promise<Response> {
  const { session } = await requireSession(app, visit)
  const body = await readBody(visit, passwordBody)
  const transport = session.transport === 'cookie' ? 'cookie' : 'header'
  const change = {
    accountId: session.accountId,
    sessionId: session.id,
    currentPassword: body.current_password,
    newPassword: body.new_password,
  }
  const kept = { remember: session.remembered === 1, jkt: session.jkt }
  const how = { transport, ...kept, ...askedBy(visit) } as const
  const { tokens, deviceToken } = await changePassword(app.ctx, change, how)
  return deliverTokens(app.ctx, tokens, { transport, deviceToken })
}
