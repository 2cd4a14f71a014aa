// Sessions in a Map: read once from the database, then never again, and never written back.
import * as stored from '../../packages/server/dist/store/sessions.js'

export * from '../../packages/server/dist/store/sessions.js'

const sessions = new Map()

export async function findSession(db, id) {
  const known = sessions.get(id)
  if (known) return known
  const session = await stored.findSession(db, id)
  if (session) sessions.set(id, session)
  return session
}

export async function rotateSession(_, { id, expected, now, ...changes }) {
  const session = sessions.get(id)
  if (session?.generation !== expected.generation || session.refreshHash !== expected.refreshHash)
    return false
  if (session.endedAt !== null) return false
  sessions.set(id, { ...session, ...changes, rotatedAt: now })
  return true
}
