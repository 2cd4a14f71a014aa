import { z } from 'zod'
import { register } from '../account.ts'
import type { App } from '../app.ts'
import { accepted } from '../http/accepted.ts'
import { askedBy } from '../http/asked-by.ts'
import { password, readBody, text } from '../http/body.ts'
import { defaultTransport, requireTrustedPage } from '../http/credentials.ts'
import { deliverTokens } from '../http/deliver.ts'
import type { Visit } from '../http/visit.ts'
import { askToRegister } from '../registration.ts'
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

/** All that is read, and kept, of a registration where the mailbox is proved first. */
const askBody = z.object({ email: text(254) })

/** POST /auth/register: 201 with the user, logged in; 202 and a mail where the mailbox is proved first. */
export async function registerEndpoint({ ctx }: App, visit: Visit): Promise<Response> {
  requireTrustedPage(ctx, visit)
  if (ctx.settings.registration === 'verify-first') {
    const { email } = await readBody(visit, askBody)
    await askToRegister(ctx, { email, ...askedBy(visit) })
    return accepted()
  }
  const { transport = defaultTransport(visit), ...input } = await readBody(visit, registerBody)
  const { user, tokens } = await register(ctx, input, { transport, ...askedBy(visit) })
  return deliverTokens(ctx, tokens, { transport, status: 201, body: { user } })
}
