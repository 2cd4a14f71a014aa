import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Context } from './context.ts'
import type { ServerSecret } from './server-secret.ts'
import { findAccount, identifiersOf } from './store/accounts.ts'

/** A device that logged in to an account before, since its password was last changed. */
export interface KnownDevice {
  readonly accountId: string
  readonly id: string
}

interface Account {
  readonly id: string
  readonly passwordHash: string | null
}

/** Seconds that a device is known for after its last login. */
export const DEVICE_KNOWN_FOR: number = 180 * 86_400

const SHAPE = /^mdt_([A-Za-z0-9_-]{6})\.([A-Za-z0-9_-]{1,400})\.([A-Za-z0-9_-]{43})$/
/** The account, the device, of which password, and until when (seconds). */
const says = z.tuple([z.string(), z.string(), z.string(), z.number()])

/**
 * `mdt_<k>.<what it says>.<mac>`: a device token, for a device that has just shown the account's password (OWASP's "device
 * cookies"). It logs nobody in: it gives the device tries of its own, so that an attack on the account does not keep its
 * owner out. It is worth something for the password alone that was shown: whoever knew an older one has no
 * tries left from then on, and nothing is stored.
 */
export function makeDeviceToken({ secrets: [secret], clock }: Context, account: Account): string {
  const id = randomBytes(16).toString('base64url')
  const until = Math.floor(clock() / 1000) + DEVICE_KNOWN_FOR
  const what: z.infer<typeof says> = [account.id, id, markOf(secret, account), until]
  const payload = Buffer.from(JSON.stringify(what)).toString('base64url')
  return `mdt_${secret.k}.${payload}.${macOf(secret, payload).toString('base64url')}`
}

/**
 * The device that a token tells of, where it is one of whoever logs in by this identifier. For any other token nothing is
 * looked up, or but the account that it was made for: so it tells nobody whether there is one by that identifier.
 */
export async function knownDevice(
  ctx: Context,
  token: string | undefined,
  names: readonly { readonly kind: string; readonly value: string }[],
): Promise<KnownDevice | undefined> {
  const read = readToken(ctx, token)
  if (!read) return undefined
  const account = await findAccount(ctx.store.db, read.accountId)
  if (!account || markOf(read.secret, account) !== read.mark) return undefined
  const identifiers = await identifiersOf(ctx.store.db, account.id)
  const isTheirs = identifiers.some(({ kind, value }) =>
    names.some((named) => kind === named.kind && value === named.value),
  )
  return isTheirs ? { accountId: account.id, id: read.id } : undefined
}

function readToken(ctx: Context, token: string | undefined) {
  const [, k, payload, mac] = SHAPE.exec(token ?? '') ?? []
  const secret = ctx.secrets.find((one) => one.k === k)
  if (!secret || !payload || !mac) return undefined
  if (!timingSafeEqual(macOf(secret, payload), Buffer.from(mac, 'base64url'))) return undefined
  const [accountId, id, mark, until] = says.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()))
  return until * 1000 > ctx.clock() ? { secret, accountId, id, mark } : undefined
}

function macOf({ deviceKey }: ServerSecret, payload: string): Buffer {
  return createHmac('sha256', deviceKey).update(`token:${payload}`).digest()
}

/** Tells one password of the account from the next, and nothing about either. */
function markOf({ deviceKey }: ServerSecret, { passwordHash }: Account): string {
  return createHmac('sha256', deviceKey).update(`password:${passwordHash}`).digest('base64url').slice(0, 22)
}
