import type { App } from '../app.ts'
import { currentUser, requireSession } from '../current-session.ts'
import { privateJson } from '../http/private-json.ts'
import type { Visit } from '../http/visit.ts'

/** GET /auth/me: the user that the access token names (M2, step 5). */
export async function meEndpoint(app: App, visit: Visit): Promise<Response> {
  const current = await requireSession(app, visit)
  return privateJson({ user: await currentUser(app, current) })
}
