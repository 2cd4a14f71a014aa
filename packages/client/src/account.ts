import { authorizedFetch, requireTarget } from './authorized-fetch.ts'
import { refusal } from './call-auth.ts'
import { type Client, type Session, type SessionOverview, sessionOf } from './client.ts'
import type { Delivery } from './delivery.ts'
import type { Kept } from './kept.ts'
import { MapaeError } from './mapae-error.ts'
import { readUser } from './user.ts'
import { isMembers, type Members, numberOf, parseMembers, textOf } from './wire.ts'

/** What is asked of the auth server now and then; loaded when it is. */
export type Account = Pick<Client, 'changePassword' | 'accessToken' | 'credential' | 'diagnose'> &
  Client['sessions'] & {
    /** The session with its user, as the server has them now. */
    look(kept: Kept): Promise<Session>
  }

export function accountOf(delivery: Delivery): Account {
  const { ctx, lineTo, main, reopen } = delivery
  const ask = async (path: string, init?: RequestInit): Promise<Members> => {
    const response = await authorizedFetch(delivery, ctx.url + path, init)
    const answer = parseMembers(await response.text())
    if (!response.ok) throw refusal(response, answer)
    return answer
  }
  const inHand = async (url: URL): Promise<Kept | undefined> => {
    requireTarget(ctx, url)
    return (await lineTo(url, true)).find()
  }
  return {
    look: async (kept) => {
      const user = readUser((await ask('/auth/me'))['user'])
      if (!user) throw new MapaeError('answer_not_understood')
      // The cookies are another person's by now: a page that this one does not hear of has logged them in.
      const isAnother = kept.user !== undefined && kept.user.id !== user.id
      const { sid, jkt } = isAnother ? await main.after(kept) : kept
      await main.keeper.change((now) => (now?.sid === sid ? { ...now, user } : now))
      return sessionOf({ sid, jkt }, user)
    },
    changePassword: ({ current, next }) =>
      reopen('/auth/password', { current_password: current, new_password: next }),
    accessToken: async (target = ctx.url) => (await inHand(new URL(target)))?.access,
    credential: async (target) => {
      const url = new URL(new URL(target).href.replace(/^ws/, 'http'))
      const { access, jkt } = (await inHand(url)) ?? {}
      if (access === undefined) return undefined
      const proof = jkt === undefined ? undefined : await ctx.prove?.(jkt, url.href, access)
      return { accessToken: access, proof }
    },
    diagnose: async () => (await import('./diagnose.ts')).diagnose(ctx),
    list: async () => readOverviews((await ask('/auth/sessions'))['sessions']),
    end: async (id) => void (await ask(`/auth/sessions/${encodeURIComponent(id)}`, DELETE)),
    endOthers: async () => numberOf((await ask('/auth/sessions', DELETE))['ended']) ?? 0,
  }
}

const DELETE: RequestInit = { method: 'DELETE' }

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
      device: textOf(value['device']) ?? null,
      user_agent: textOf(value['user_agent']) ?? null,
      network: textOf(value['network']) ?? null,
      place: textOf(value['place']) ?? null,
      created_at: numberOf(value['created_at']) ?? 0,
      last_used_at: numberOf(value['last_used_at']) ?? 0,
      expires_at: numberOf(value['expires_at']) ?? 0,
      current: value['current'] === true,
    },
  ]
}
