import { MapaeError } from './mapae-error.ts'
import { readUser, type User } from './user.ts'
import { have, type Members, numberOf, parseMembers, textOf } from './wire.ts'

/**
 * All that a device keeps of its session: one record, replaced as a whole. With cookie delivery there is no token in it, with
 * a session that is bound to a key the name of the key.
 *
 * Another version of the client may use the same record, on the same page even: members are only ever added to it, none of them is needed by an
 * older version, and whoever does not know one leaves it as it is until the next renewal.
 */
export interface Kept {
  /** The session's id; empty until the server has told it. */
  readonly sid: string
  /** How often this record was renewed: names the generation of its refresh token. */
  readonly n: number
  /** The wall clock, in milliseconds, before the request went out that was answered with this. */
  readonly at: number
  /** Seconds since 1970, by the server's clock, in that answer. */
  readonly serverTime: number
  /** Seconds from then to the end of the access token; 0 when it is not known. */
  readonly expiresIn: number
  readonly user?: User | undefined
  readonly access?: string | undefined
  readonly refresh?: string | undefined
  /** The thumbprint of the key that the session is bound to (RFC 7638). */
  readonly jkt?: string | undefined
  /** What tells the server that this device logged in before (header delivery). */
  readonly device?: string | undefined
  /** The attempt id of the next rotation, once somebody is about to try it: whoever tries uses this one. */
  readonly attempt?: string | undefined
}

/** Undefined for what is not such a record: whoever finds that has no session. */
export function parseKept(text: string | undefined): Kept | undefined {
  const value = parseMembers(text)
  return isKept(value) ? value : undefined
}

function isKept(value: Members): value is Members & Kept {
  return (
    have(value, /string/, 'sid') &&
    have(value, /number/, 'n at serverTime expiresIn') &&
    have(value, /string|undefined/, 'access refresh jkt device attempt') &&
    (value['user'] === undefined || readUser(value['user']) !== undefined)
  )
}

/**
 * What an answer that hands out tokens says (RFC 6749 §5.1). The user stays known where the answer does not name one. Throws
 * `answer_not_understood`.
 */
export function keptFrom(answer: Members, at: number, before?: Kept): Kept {
  const sid = textOf(answer['session_id'])
  if (!sid) throw new MapaeError('answer_not_understood')
  const same = before?.sid === sid ? before : undefined
  return {
    sid,
    n: same ? same.n + 1 : 0,
    at,
    serverTime: numberOf(answer['server_time']) ?? at / 1000,
    expiresIn: numberOf(answer['expires_in']) ?? 0,
    user: readUser(answer['user']) ?? same?.user,
    access: textOf(answer['access_token']),
    refresh: textOf(answer['refresh_token']),
    jkt: before?.jkt,
    device: textOf(answer['device_token']) ?? before?.device,
  }
}

/** The same generation of the same session. */
export function isSame(one: Kept | undefined, other: Kept | undefined): boolean {
  return one?.sid === other?.sid && one?.n === other?.n
}
