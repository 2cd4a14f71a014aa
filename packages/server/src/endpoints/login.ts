import { z } from 'zod'
import { logIn } from '../account.ts'
import type { App } from '../app.ts'
import { AuthError } from '../auth-error.ts'
import { password, readBody, text } from '../http/body.ts'
import { defaultTransport, requireTrustedPage } from '../http/credentials.ts'
import { deliverTokens } from '../http/deliver.ts'
import { deviceCredential } from '../http/device.ts'
import { keyToBind } from '../http/proof.ts'
import { replacedBy } from '../http/replaced.ts'
import type { Visit } from '../http/visit.ts'
import type { Transport } from '../session.ts'

interface LoginBody {
  readonly identifier?: string | undefined
  readonly email?: string | undefined
  readonly username?: string | undefined
  readonly password: string
  readonly transport?: Transport | undefined
  readonly remember?: boolean | undefined
  readonly device_token?: string | undefined
}

export const loginBody: z.ZodType<LoginBody> = z.object({
  identifier: text(254).optional(),
  email: text(254).optional(),
  username: text(254).optional(),
  password,
  transport: z.enum(['cookie', 'header']).optional(),
  remember: z.boolean().optional().describe('"keep me logged in"; default true'),
  device_token: text(512).optional().describe('that of the last login, where it came in the body'),
})

/** POST /auth/login: 200 with the user and both tokens, bound to the key of a DPoP proof if one came along. */
export async function loginEndpoint({ ctx }: App, visit: Visit): Promise<Response> {
  requireTrustedPage(ctx, visit)
  await ctx.passwords.refuseWhenFull()
  const {
    identifier,
    email,
    username,
    password,
    transport = defaultTransport(visit),
    remember,
    device_token,
  } = await readBody(visit, loginBody)
  const named = identifier ?? email ?? username
  if (named === undefined) throw new AuthError('invalid_request', 'Send identifier, email or username.')
  const jkt = await keyToBind(ctx, visit, transport)
  const device = deviceCredential(ctx, visit, device_token)
  const replaces = await replacedBy(ctx, visit, transport)
  const how = { transport, remember, from: visit.from, jkt, replaces, deviceToken: device }
  const { user, tokens, deviceToken } = await logIn(ctx, { identifier: named, password }, how)
  return deliverTokens(ctx, tokens, { transport, deviceToken, body: { user } })
}
