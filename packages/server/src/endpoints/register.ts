import { z } from 'zod'
import { register } from '../account.ts'
import type { App } from '../app.ts'
import { accepted } from '../http/accepted.ts'
import { askedBy } from '../http/asked-by.ts'
import { password, readBody, text } from '../http/body.ts'
import { defaultTransport, requireTrustedPage } from '../http/credentials.ts'
import { deliverTokens } from '../http/deliver.ts'
import { keyToBind } from '../http/proof.ts'
import { replacedBy } from '../http/replaced.ts'
import type { Visit } from '../http/visit.ts'
import { personName } from '../profile.ts'
import { askToRegister } from '../registration.ts'
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

/** All that is read, and kept, of a registration where the mailbox is proved first. */
const askBody = z.object({ email: text(254) })

/** POST /auth/register: 201 with the user, logged in as at `/auth/login`; 202 and a mail where the mailbox is proved first. */
export async function registerEndpoint({ ctx }: App, visit: Visit): Promise<Response> {
  requireTrustedPage(ctx, visit)
  if (ctx.settings.registration === 'verify-first') {
    const { email } = await readBody(visit, askBody)
    await askToRegister(ctx, { email, ...askedBy(visit) })
    return accepted()
  }
  const { transport = defaultTransport(visit), remember, ...input } = await readBody(visit, registerBody)
  const jkt = await keyToBind(ctx, visit, transport)
  const { user, tokens, deviceToken } = await register(ctx, input, {
    transport,
    remember,
    jkt,
    replaces: await replacedBy(ctx, visit, transport),
    ...askedBy(visit),
  })
  return deliverTokens(ctx, tokens, { transport, deviceToken, status: 201, body: { user } })
}
