import { z } from 'zod'
import type { App } from '../app.ts'
import { AuthError } from '../auth-error.ts'
import { readBody } from '../http/body.ts'
import { accessCredential, refreshCredential, requireTrustedPageFor } from '../http/credentials.ts'
import { deliverTokens } from '../http/deliver.ts'
import { refuseProofWithCookies, sentProof } from '../http/proof.ts'
import { refusedRenewal } from '../http/refused-renewal.ts'
import type { Visit } from '../http/visit.ts'
import { refreshSession } from '../renewal.ts'

export const refreshBody: z.ZodType<{ readonly refresh_token?: string | undefined }> = z.object({
  refresh_token: z.string().max(1024).optional(),
})

const ATTEMPT_ID = /^[A-Za-z0-9_-]{22,128}$/

/** POST /auth/refresh: both tokens in (M3, step 12), both tokens out (step 14). */
export async function refreshEndpoint({ ctx, accessTokens }: App, visit: Visit): Promise<Response> {
  const attemptId = visit.header('idempotency-key')
  if (attemptId !== undefined && !ATTEMPT_ID.test(attemptId)) throw new AuthError('invalid_idempotency_key')
  const body = await readBody(visit, refreshBody)
  const refresh = refreshCredential(ctx, visit, body.refresh_token)
  const access = accessCredential(ctx, visit)
  requireTrustedPageFor(ctx, visit, refresh, access)
  if (!refresh) throw new AuthError('refresh_token_required')
  refuseProofWithCookies(visit, refresh.by)
  await ctx.clockCheck.refuseWhenSkewed()

  const outcome = await refreshSession(ctx, accessTokens, {
    refreshToken: refresh.token,
    accessToken: access?.token,
    attemptId,
    possession: { scheme: access?.scheme, proof: sentProof(ctx, visit) },
    arrivedAt: visit.arrivedAt,
    from: visit.from,
  })
  if (outcome.type !== 'refreshed') throw refusedRenewal(outcome)
  return deliverTokens(ctx, outcome.tokens, { transport: refresh.by })
}
