import { z } from 'zod'
import type { App } from '../app.ts'
import { AuthError } from '../auth-error.ts'
import { requireSession } from '../current-session.ts'
import { privateJson } from '../http/private-json.ts'
import type { Visit } from '../http/visit.ts'
import { endOtherSessions, endSession, listSessions, sessionById } from '../session.ts'
import { sessionOverview } from '../session-overview.ts'

const SESSION_ID = z.string().regex(/^[A-Za-z0-9_-]{26}$/)

/** GET /auth/sessions: where the person is logged in, newest first. Moments are seconds. */
export async function listSessionsEndpoint(app: App, visit: Visit): Promise<Response> {
  const { session: current } = await requireSession(app, visit)
  const sessions = await listSessions(app.ctx, current.accountId)
  return privateJson({
    sessions: sessions.map((session) => ({
      ...sessionOverview(session),
      current: session.id === current.id,
    })),
  })
}

/** DELETE /auth/sessions/{id}: ends one session of one's own; 204, or 404 for what is not one. */
export async function endSessionEndpoint(app: App, visit: Visit): Promise<Response> {
  const { session: current } = await requireSession(app, visit)
  const id = SESSION_ID.safeParse(visit.params['id'])
  const session = id.success ? await sessionById(app.ctx, id.data) : undefined
  if (session?.accountId !== current.accountId) throw new AuthError('not_found')
  await endSession(app.ctx, session, 'ended_by_user', visit.from)
  return new Response(null, { status: 204 })
}

/** DELETE /auth/sessions: ends all sessions but the one that asks. */
export async function endOtherSessionsEndpoint(app: App, visit: Visit): Promise<Response> {
  const { session: current } = await requireSession(app, visit)
  const ended = await endOtherSessions(
    app.ctx,
    { accountId: current.accountId, except: current.id },
    visit.from,
  )
  return privateJson({ ended })
}
