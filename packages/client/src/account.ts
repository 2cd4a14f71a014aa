import { callAuth } from './call-auth.ts'
import type { Client, SessionOverview } from './client.ts'
import { alone, type Door, keep, usable } from './open-session.ts'
import { isMembers, type Members, numberOf, textOf } from './wire.ts'

/** What people do with their account now and then; loaded when somebody does. */
export interface Account extends Pick<Client, 'changePassword'> {
  readonly sessions: Client['sessions']
}

/** `ask`: a call with the session's token, to a path of the auth server; resolves to the members of its answer. */
export function accountOf(door: Door, ask: (path: string, init?: RequestInit) => Promise<Members>): Account {
  return {
    changePassword: ({ current, next }) =>
      reopened(door, '/auth/password', { current_password: current, new_password: next }),
    sessions: {
      list: async () => readOverviews((await ask('/auth/sessions'))['sessions']),
      end: async (id) => void (await ask(`/auth/sessions/${encodeURIComponent(id)}`, DELETE)),
      endOthers: async () => numberOf((await ask('/auth/sessions', DELETE))['ended']) ?? 0,
    },
  }
}

const DELETE: RequestInit = { method: 'DELETE' }

/** Replaces the session by the one that a change of password opens; every other has ended. */
async function reopened(door: Door, path: string, body: object): Promise<void> {
  const { ctx, line } = door
  const before = await line.find()
  const kept = await alone(door, async () => {
    const at = ctx.clock.wall()
    const credential = { access: before?.access, jkt: before?.jkt }
    const answer = await callAuth(ctx, path, { body, credential })
    return keep(door, { user: before?.user, ...answer }, at, before?.jkt)
  })
  await usable(door, kept)
}

/** The sessions in an answer of `GET /auth/sessions`. */
function readOverviews(value: unknown): readonly SessionOverview[] {
  return Array.isArray(value) ? value.flatMap(readOverview) : []
}

function readOverview(value: unknown): readonly SessionOverview[] {
  if (!isMembers(value)) return []
  const id = textOf(value['id'])
  if (id === undefined) return []
  return [
    {
      id,
      user_agent: textOf(value['user_agent']) ?? null,
      network: textOf(value['network']) ?? null,
      created_at: numberOf(value['created_at']) ?? 0,
      renewed_at: numberOf(value['renewed_at']) ?? 0,
      expires_at: numberOf(value['expires_at']) ?? 0,
      current: value['current'] === true,
    },
  ]
}
