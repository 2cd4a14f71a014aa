import { z } from 'zod'
import { register } from '../account.ts'
import type { App } from '../app.ts'
import { password, readBody, text } from '../http/body.ts'
import { defaultTransport, requireTrustedPage } from '../http/credentials.ts'
import { deliverTokens } from '../http/deliver.ts'
import { keyToBind } from '../http/proof.ts'
import type { Visit } from '../http/visit.ts'
import type { Transport } from '../session.ts'

interface RegisterBody {
  readonly email?: string | undefined
  readonly username?: string | undefined
  readonly password: string
  readonly name?: string | undefined
  readonly transport?: Transport | undefined
}

export const registerBody: z.ZodType<RegisterBody> = z.object({
  email: text(254).optional(),
  username: text(64).optional(),
  password,
  name: text(200).optional(),
  transport: z.enum(['cookie', 'header']).optional(),
})

/** POST /auth/register: 201 with the user, logged in as at `/auth/login`. */
export async function registerEndpoint({ ctx }: App, visit: Visit): Promise<Response> {
  requireTrustedPage(ctx, visit)
  const { transport = defaultTransport(visit), ...input } = await readBody(visit, registerBody)
  const jkt = await keyToBind(ctx, visit, transport)
  const { user, tokens } = await register(ctx, input, { transport, from: visit.from, jkt })
  return deliverTokens(ctx, tokens, { transport, status: 201, body: { user } })
}
