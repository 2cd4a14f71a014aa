import { z } from 'zod'
import type { App } from '../app.ts'
import { AuthError } from '../auth-error.ts'
import { changeProfile } from '../change-profile.ts'
import { currentUser, requireSession, requireUser } from '../current-session.ts'
import { deleteAccount } from '../delete-account.ts'
import { password, readBody } from '../http/body.ts'
import { clearCookies } from '../http/deliver.ts'
import { privateJson } from '../http/private-json.ts'
import type { Visit } from '../http/visit.ts'
import { profileChange } from '../profile.ts'
import { confirmPassword } from '../reauthentication.ts'

export const deleteMeBody: z.ZodType<{ readonly password: string }> = z.object({ password })

/** GET /auth/me: the user that the access token names (M2, step 5). */
export async function meEndpoint(app: App, visit: Visit): Promise<Response> {
  return privateJson({ user: await requireUser(app, visit) })
}

/** PATCH /auth/me: changes what the person tells of themselves; 200 with the user as it then is. */
export async function changeMeEndpoint(app: App, visit: Visit): Promise<Response> {
  const current = await requireSession(app, visit)
  const change = await readBody(visit, profileChange)
  await changeProfile(app.ctx, { accountId: current.session.accountId, change, from: visit.from })
  return privateJson({ user: await currentUser(app, current) })
}

/** DELETE /auth/me: deletes the account, for whoever knows its password; 204. */
export async function deleteMeEndpoint(app: App, visit: Visit): Promise<Response> {
  const { ctx } = app
  const { session } = await requireSession(app, visit)
  const { password } = await readBody(visit, deleteMeBody)
  const { accountId, id: sessionId } = session
  const { passwordHash } = await confirmPassword(ctx, { accountId, sessionId, password }, visit.from)
  const known = { accountId, ifPasswordHash: passwordHash ?? undefined }
  const isDeleted = await deleteAccount(ctx, { ...known, source: visit.from })
  if (!isDeleted) {
    // Somebody was faster: with deleting it, or with another password.
    await requireSession(app, visit)
    throw new AuthError('wrong_password')
  }
  const headers = new Headers({ 'cache-control': 'no-store' })
  for (const cookie of clearCookies(ctx)) headers.append('set-cookie', cookie)
  return new Response(null, { status: 204, headers })
}
