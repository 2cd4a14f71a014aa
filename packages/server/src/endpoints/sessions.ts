import { z } from 'zod'
import type { App } from '../app.ts'
import { AuthError } from '../auth-error.ts'
import { type CurrentSession, requireSession } from '../current-session.ts'
import { privateJson } from '../http/private-json.ts'
import type { Visit } from '../http/visit.ts'
import { endOtherSessions, endSession, type SessionRecord, sessionById } from '../session.ts'
import { personalHistory } from '../session-history.ts'
import { personalSession, sessionsOf } from '../session-overview.ts'

const SESSION_ID = z.string().regex(/^[A-Za-z0-9_-]{26}$/)

/** GET /auth/sessions: where the person is logged in, newest first, and where they lately were. */
export async function listSessionsEndpoint(app: App, visit: Visit): Promise<Response> {
  const { session: current } = await requireSession(app, visit)
  const sessions = await sessionsOf(app.ctx, current.accountId)
  const ended = await sessionsOf(app.ctx, current.accountId, { ended: true })
  const asking = { current: current.id }
  return privateJson({
    sessions: sessions.map((session) => personalSession(session, asking)),
    ended_sessions: ended.map((session) => personalSession(session, asking)),
  })
}

/** GET /auth/sessions/{id}: one session of one's own, ended or not, with its time line; 404 for what is not one. */
export async function showSessionEndpoint(app: App, visit: Visit): Promise<Response> {
  const current = await requireSession(app, visit)
  const session = await ownSession(app, visit, current)
  return privateJson(await personalHistory(app.ctx, session, { current: current.session.id }))
}

/** DELETE /auth/sessions/{id}: ends one session of one's own; 204, or 404 for what is not one. */
export async function endSessionEndpoint(app: App, visit: Visit): Promise<Response> {
  const current = await requireSession(app, visit)
  const session = await ownSession(app, visit, current)
  await endSession(app.ctx, session, {
    reason: 'ended_by_user',
    source: visit.from,
    bySession: current.session.id,
  })
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

async function ownSession(app: App, visit: Visit, current: CurrentSession): Promise<SessionRecord> {
  const id = SESSION_ID.safeParse(visit.params['id'])
  const session = id.success ? await sessionById(app.ctx, id.data) : undefined
  if (session?.accountId !== current.session.accountId) throw new AuthError('not_found')
  return session
}
