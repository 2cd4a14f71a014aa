import { callAuth } from './call-auth.ts'
import type { Context, Credential } from './context.ts'
import type { Keeper } from './keeper.ts'
import { type Kept, keptFrom } from './kept.ts'
import type { Line } from './line.ts'
import { isPassing } from './mapae-error.ts'
import { retried } from './pause.ts'

/** How one client gets its tokens, and stays logged in. */
export interface Delivery {
  readonly ctx: Context
  /** The line that knows who is logged in. */
  readonly main: Line
  /** The line whose session a request to a target is sent with. `inHand`: never by cookie. */
  lineTo(target: URL, inHand?: boolean): Promise<Line>
  /** Listens to other tabs no longer. */
  close(): void
  /** Logs in or registers; undefined where a mail comes first. The record of the new session replaces what was there. */
  open(path: string, body: object): Promise<Kept | undefined>
  /** The same with the session that there is, which ends with it. */
  reopen(path: string, body: object): Promise<void>
  /** Ends the session at the server and on this device. */
  end(): Promise<void>
}

/** One request that opens a session, and its record; `change`: what is kept of it. Undefined where a mail comes first. */
export async function openWith(
  ctx: Context,
  keeper: Keeper,
  {
    path,
    body,
    credential,
    change = (kept) => kept,
  }: {
    readonly path: string
    readonly body: object
    readonly credential?: Credential
    readonly change?: (kept: Kept) => Kept
  },
): Promise<Kept | undefined> {
  const at = ctx.clock.wall()
  const answer = await callAuth(ctx, path, {
    body: { ...body, transport: ctx.delivery },
    credential,
  })
  if (answer.status === 202) return undefined
  const kept = change(keptFrom(answer, at))
  await keeper.change(() => kept)
  return kept
}

/** With cookies the server ends the session first: it alone can take them back. */
export async function ended(ctx: Context, { keeper }: Line): Promise<void> {
  await retried(ctx, () => callAuth(ctx, '/auth/logout'), isPassing)
  await keeper.change(() => undefined)
}
