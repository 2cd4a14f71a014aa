import { createHmac } from 'node:crypto'
import { AuthError } from './auth-error.ts'
import type { BrakeName } from './brake-limits.ts'
import type { Context, Origin } from './context.ts'
import { nameTyped } from './identifier.ts'
import type { KnownDevice } from './known-device.ts'
import { lineOf } from './network.ts'
import type { ServerSecret } from './server-secret.ts'
import {
  type BrakeRecord,
  closedBrakes,
  giveBackTry,
  givingBackTry,
  releaseSubjects,
  reserveTry,
} from './store/brakes.ts'
import type { Tx } from './store/open-store.ts'
import type { Statement } from './store/together.ts'

/** One thing that is braked: what, and whose. */
export interface Brake {
  readonly name: BrakeName
  /** Whom it is about. */
  readonly subject: Subject
  /** What tells it from the subject's other brakes of that name. */
  readonly part?: string | undefined
  /** So many times the limit. @default 1 */
  readonly times?: number
}

/** Its kind (of an identifier, or account, address, network), and which. */
type Subject = readonly [kind: string, value: string]

/** An identifier, known or not. */
interface Named {
  readonly kind: string
  readonly value: string
}

type Mailbox = Pick<Named, 'value'>

/** Whoever has one address often has many: the network around it (IPv4 /24, IPv6 /48) has so many times its limit. */
const NETWORK_TIMES = 10

/** A try that was reserved. */
export interface Try {
  /** What gives it back, to be sent in the transaction that the answer "yes" leads to; {@link Try.close} once that is committed. */
  givingBack(db: Tx): readonly Statement[]
  /** It is not to be given back any more: the answer was "no", or it was. */
  close(): void
}

/**
 * Runs `visit` as one try. The try is reserved in every brake before, in one statement for all replicas, and given
 * back unless it was closed: so that any number of parallel guesses gets no further than the limit, and who
 * knows the password uses nothing up.
 *
 * Refuses with `too_many_tries` (429, with `retry_after` in seconds); nothing was compared then.
 */
export async function withTry<T>(
  ctx: Context,
  brakes: readonly Brake[],
  visit: (reserved: Try) => Promise<T>,
): Promise<T> {
  const { giveBack, givingBack } = await reserve(ctx, brakes)
  let isOpen = true
  const close = () => {
    isOpen = false
  }
  try {
    return await visit({ givingBack, close })
  } finally {
    if (isOpen) await giveBack()
  }
}

/** The same for a comparison, which closes the try when its answer is "no". */
export function asTry<T extends { readonly matches: boolean }>(
  ctx: Context,
  brakes: readonly Brake[],
  compare: () => Promise<T>,
): Promise<T> {
  return withTry(ctx, brakes, async (reserved) => {
    const compared = await compare()
    if (!compared.matches) reserved.close()
    return compared
  })
}

/** Counts something that is not given back: a mail, a registration, a session. Refuses with `too_many_tries` (429). */
export async function spend(ctx: Context, brakes: readonly Brake[]): Promise<void> {
  await reserve(ctx, brakes)
}

/**
 * A login. A device that logged in to the account before has tries of its own, so that nobody else can use them up: then
 * neither an attack on the account nor one from the same address keeps it out. Everybody else is counted by what
 * was typed, whether there is such an account or not, and by where it comes from.
 */
export function loginBrakes(
  typed: Named,
  { from, device }: { from: Origin; device: KnownDevice | undefined },
): readonly Brake[] {
  if (device) return [{ name: 'knownDevice', subject: ['account', device.accountId], part: device.id }]
  const subject = [typed.kind, typed.value] as const
  return [
    { name: 'account', subject },
    ...(from.network === null ? [] : [{ name: 'accountFromNetwork', subject, part: from.network } as const]),
    ...addressBrakes('loginsFromAddress', from),
  ]
}

/**
 * A session that a right password opens: so that neither the rows of an account nor the lines that tell of them grow without end. Only who knows
 * the password gets this far, so a stranger keeps nobody out by it; and what is counted by address leaves known devices alone, because
 * strangers with accounts of their own may share it. `newFrom`: where a device is that is not known.
 */
export function sessionBrakes(accountId: string, newFrom?: Origin): readonly Brake[] {
  const own = { name: 'sessionsOfAccount', subject: ['account', accountId] } as const
  return newFrom ? [own, ...addressBrakes('sessionsFromAddress', newFrom)] : [own]
}

/** The password given again: by whoever holds a session, or, where there is none, a mailed code. */
export function reauthenticationBrakes(accountId: string, sessionId: string | undefined): readonly Brake[] {
  return [{ name: 'reauthentication', subject: ['account', accountId], part: sessionId }]
}

/** Mails that somebody asked for: to each of the mailboxes, and from where. */
export function mailBrakes(from: Origin, ...mailboxes: readonly Mailbox[]): readonly Brake[] {
  return [...mailboxBrakes(mailboxes), ...addressBrakes('mailsFromAddress', from)]
}

/**
 * The mail to reset a password with. Its mailbox has as many of these as of all others together, so that what anybody else can have
 * sent there, or refused, does not keep away the mail that lets the owner in.
 */
export function resetMailBrakes(from: Origin, mailbox: Mailbox): readonly Brake[] {
  return [...mailboxBrakes([mailbox], 'reset-password'), ...addressBrakes('mailsFromAddress', from)]
}

/** A registration, which somebody is written to about, or nobody. */
export function registrationBrakes(from: Origin, mailbox: Mailbox | undefined): readonly Brake[] {
  return [...mailboxBrakes(mailbox ? [mailbox] : []), ...addressBrakes('registrationsFromAddress', from)]
}

/** What is counted by address, and by the network around it. Where no address is known, nothing is. */
export function addressBrakes(name: BrakeName, { address, network }: Origin): readonly Brake[] {
  const line = lineOf(address ?? undefined)
  if (line === undefined || network === null) return []
  return [
    { name, subject: ['address', line] },
    { name, subject: ['network', network], times: NETWORK_TIMES },
  ]
}

function mailboxBrakes(mailboxes: readonly Mailbox[], part?: string): readonly Brake[] {
  const values = new Set(mailboxes.map(({ value }) => nameTyped(value).value))
  return [...values].map((value) => ({ name: 'mailsToMailbox', subject: ['email', value], part }))
}

/** Forgets every try that was counted for an account: its logins, its passwords, its mails. Returns how many brakes there were. */
export function releaseAccount(
  ctx: Context,
  { id, identifiers }: { id: string; identifiers: readonly Named[] },
): Promise<number> {
  const subjects: readonly Subject[] = [
    ['account', id],
    ...identifiers.map(({ kind, value }) => [kind, nameTyped(value).value] as const),
  ]
  return releaseSubjects(
    ctx.store.db,
    ctx.secrets.flatMap((secret) => subjects.map((subject) => hashed(secret, subject))),
  )
}

interface Reserved extends Pick<Try, 'givingBack'> {
  /** Never rejects: a try that is not given back is forgiven in time. */
  readonly giveBack: () => Promise<void>
}

const NOTHING: Reserved = { giveBack: async () => {}, givingBack: () => [] }

async function reserve(ctx: Context, brakes: readonly Brake[]): Promise<Reserved> {
  if (ctx.settings.dangerouslyDisableBrakes || brakes.length === 0) return NOTHING
  const records = brakes.map((brake) => recordOf(ctx, brake))
  const { db } = ctx.store
  const now = ctx.clock()
  if (!(await reserveTry(db, records, { now }))) return refuseTry(ctx, brakes, { records, now })
  const times = () => ({ triedAt: now, now: ctx.clock() })
  return {
    giveBack: () =>
      giveBackTry(db, records, times()).catch((error: unknown) =>
        ctx.emit({ type: 'error', at: ctx.clock(), error }),
      ),
    givingBack: (tx) => [givingBackTry(tx, records, times())],
  }
}

async function refuseTry(
  ctx: Context,
  brakes: readonly Brake[],
  { records, now }: { records: readonly BrakeRecord[]; now: number },
): Promise<never> {
  const [longest] = await closedBrakes(ctx.store.db, records, { now })
  const index = records.findIndex(({ key }) => key === longest?.key)
  const brake = brakes[index]?.name ?? null
  ctx.emit({ type: 'try.refused', at: now, detail: { brake } })
  // Undefined where it opened just now.
  const wait = longest ? Math.min(longest.openAt - now, records[index]?.every ?? 0) : 0
  throw new AuthError('too_many_tries', undefined, {
    members: { retry_after: Math.max(1, Math.ceil(wait / 1000)) },
  })
}

function recordOf({ settings, secrets: [newest] }: Context, brake: Brake): BrakeRecord {
  const { name, subject, part = '', times = 1 } = brake
  const { atOnce, every } = settings.brakes[name]
  return {
    key: hashed(newest, [name, ...subject, part]),
    subject: hashed(newest, subject),
    atOnce: atOnce * times,
    every: Math.max(1, Math.round((every * 1000) / times)),
  }
}

/** Keyed, so that the table tells neither who was tried nor from where, to anybody who has not the server secret too. */
function hashed({ brakeKey }: ServerSecret, parts: readonly string[]): string {
  return createHmac('sha256', brakeKey).update(JSON.stringify(parts)).digest('base64url')
}
