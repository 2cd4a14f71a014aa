import { z } from 'zod'
import type { App } from '../app.ts'
import { code, password, readBody, text } from '../http/body.ts'
import { defaultTransport, requireTrustedPage } from '../http/credentials.ts'
import { deliverTokens } from '../http/deliver.ts'
import type { Visit } from '../http/visit.ts'
import { completeRegistration } from '../registration.ts'
import type { Transport } from '../session.ts'

interface CompleteBody {
  readonly code: string
  readonly password: string
  readonly name?: string | undefined
  readonly username?: string | undefined
  readonly transport?: Transport | undefined
}

export const completeBody: z.ZodType<CompleteBody> = z.object({
  code,
  password,
  name: text(200).optional(),
  username: text(64).optional(),
  transport: z.enum(['cookie', 'header']).optional(),
})

/** POST /auth/register/complete: 201 with the user, logged in; the mailed code proves the address. */
export async function completeEndpoint({ ctx }: App, visit: Visit): Promise<Response> {
  requireTrustedPage(ctx, visit)
  const { transport = defaultTransport(visit), ...chosen } = await readBody(visit, completeBody)
  const { user, tokens, deviceToken } = await completeRegistration(ctx, chosen, {
    transport,
    from: visit.from,
  })
  return deliverTokens(ctx, tokens, { transport, deviceToken, status: 201, body: { user } })
}
