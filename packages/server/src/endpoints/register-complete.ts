import { z } from 'zod'
import type { App } from '../app.ts'
import { code, password, readBody, text } from '../http/body.ts'
import { defaultTransport, requireTrustedPage } from '../http/credentials.ts'
import { deliverTokens } from '../http/deliver.ts'
import { keyToBind } from '../http/proof.ts'
import { replacedBy } from '../http/replaced.ts'
import type { Visit } from '../http/visit.ts'
import { completeRegistration } from '../registration.ts'
import type { Transport } from '../session.ts'

interface CompleteBody {
  readonly code: string
  readonly password: string
  readonly name?: string | undefined
  readonly username?: string | undefined
  readonly transport?: Transport | undefined
  readonly remember?: boolean | undefined
}

export const completeBody: z.ZodType<CompleteBody> = z.object({
  code,
  password,
  name: text(200).optional(),
  username: text(64).optional(),
  transport: z.enum(['cookie', 'header']).optional(),
  remember: z.boolean().optional().describe('"keep me logged in"; default true'),
})

/** POST /auth/register/complete: 201 with the user, logged in as at `/auth/login`; the mailed code proves the address. */
export async function completeEndpoint({ ctx }: App, visit: Visit): Promise<Response> {
  requireTrustedPage(ctx, visit)
  const { transport = defaultTransport(visit), remember, ...chosen } = await readBody(visit, completeBody)
  const jkt = await keyToBind(ctx, visit, transport)
  const replaces = await replacedBy(ctx, visit, transport)
  const how = { transport, remember, jkt, replaces, from: visit.from }
  const { user, tokens, deviceToken } = await completeRegistration(ctx, chosen, how)
  return deliverTokens(ctx, tokens, { transport, deviceToken, status: 201, body: { user } })
}
