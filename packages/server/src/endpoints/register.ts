import { z } from 'zod'
import { register } from '../account.ts'
import type { App } from '../app.ts'
import { password, readBody, text } from '../http/body.ts'
import { defaultTransport, requireTrustedPage } from '../http/credentials.ts'
import { deliverTokens } from '../http/deliver.ts'
import { keyToBind } from '../http/proof.ts'
import type { Visit } from '../http/visit.ts'
import { personName } from '../profile.ts'
import type { Transport } from '../session.ts'

interface RegisterBody {
  readonly email?: string | undefined
  readonly username?: string | undefined
  readonly password: string
  readonly name?: string | null | undefined
  readonly transport?: Transport | undefined
  readonly remember?: boolean | undefined
}

export const registerBody: z.ZodType<RegisterBody> = z.object({
  email: text(254).optional(),
  username: text(64).optional(),
  password,
  name: personName.optional(),
  transport: z.enum(['cookie', 'header']).optional(),
  remember: z.boolean().optional().describe('"keep me logged in"; default true'),
})

/** POST /auth/register: 201 with the user, logged in as at `/auth/login`. */
export async function registerEndpoint({ ctx }: App, visit: Visit): Promise<Response> {
  requireTrustedPage(ctx, visit)
  const { transport = defaultTransport(visit), remember, ...input } = await readBody(visit, registerBody)
  const jkt = await keyToBind(ctx, visit, transport)
  const { user, tokens } = await register(ctx, input, { transport, remember, from: visit.from, jkt })
  return deliverTokens(ctx, tokens, { transport, status: 201, body: { user } })
}
