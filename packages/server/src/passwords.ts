import { availableParallelism } from 'node:os'
import commonPasswords from 'fxa-common-password-list'
import { AuthError } from './auth-error.ts'
import { isMadeOf, type PasswordWords } from './password-words.ts'
import { hashOnThread } from './passwords/hashing-threads.ts'
import { createQueue } from './passwords/queue.ts'
import { readHash } from './passwords/read-hash.ts'
import type { ReadHash } from './passwords/scheme.ts'

const SHORTEST = 8
const LONGEST = 1024
/** OWASP's minimum for argon2id: 19 MiB, two passes, one lane. */
const COST = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
/** How every hash begins that {@link Passwords.hashNew} makes. */
const OWN = '$argon2id$v=19$m=19456,t=2,p=1$'
/** The hash of random bytes that nobody kept, at {@link COST}: what an unknown identifier is compared with. */
const DECOY =
  '$argon2id$v=19$m=19456,t=2,p=1$OTu01/mqWQM1mrRw0BIXFg$i8EUMnA2Q8mKCU3afTC1QA2Paj2s2k/7V6Jmytz2ul4'

export interface Passwords {
  /**
   * Hashes a new password; refuses one that is too short, too long or too common, or too obvious: made of words of the site, or of the
   * account, `words`.
   */
  hashNew(password: string, words: PasswordWords): Promise<string>
  /**
   * Does `visit`, which compares a password among other things, with a place in the queue that is taken before the first of them: whoever
   * comes too late is refused with `busy` (503) before a database is asked anything.
   */
  enter<T>(visit: (place: Place) => Promise<T>): Promise<T>
  /** Refuses with `busy` (503) whom `enter` would refuse now. For before a body is read, when nobody has a place: who sends slowly must not hold one. */
  refuseWhenFull(): Promise<void>
}

/** What whoever has a place in the queue may ask for. */
export interface Place {
  /**
   * Whether the password belongs to the hash. Without a hash it works just as long and answers no, so
   * that an unknown identifier cannot be told from a wrong password.
   */
  matches(password: string, hash: string | null | undefined): Promise<boolean>
  /**
   * The same, and hashes the password anew where it belongs to a hash that `hashNew` would not have made: an
   * imported one. There is no `replacement` for a password of which the old scheme looked at a part only.
   */
  check(password: string, hash: string | null | undefined): Promise<PasswordCheck>
}

export interface PasswordCheck {
  readonly matches: boolean
  readonly replacement?: string
}

/**
 * Hashing runs on threads of its own, at most `atOnce` at a time; `waiting` more may have a place in the queue, and what comes
 * after that is refused with `busy` (503), so that a flood of logins holds up nothing else.
 */
export function createPasswords({
  atOnce = availableParallelism(),
  waiting = 128,
  siteWords,
}: {
  atOnce?: number | undefined
  waiting?: number | undefined
  siteWords: PasswordWords
}): Passwords {
  const queue = createQueue({ atOnce, waiting })
  const place: Place = {
    matches: (password, known) => queue.work(async () => (await compare(password, known)) !== undefined),
    check: (password, known) => queue.work(() => checkOnThread(password, known)),
  }
  return {
    async hashNew(password, words) {
      const checked = refuseUnfit(password, [...siteWords, ...words])
      return queue.enter(() => queue.work(() => hashOnThread(checked, COST)))
    },
    enter: (visit) => queue.enter(() => visit(place)),
    refuseWhenFull: queue.refuseWhenFull,
  }
}

async function checkOnThread(password: string, known: string | null | undefined): Promise<PasswordCheck> {
  const proved = await compare(password, known)
  if (!proved) return { matches: false }
  if (known?.startsWith(OWN) || !isWhole(password, proved)) return { matches: true }
  return { matches: true, replacement: await hashOnThread(normalise(password), COST) }
}

/** The hash that the password belongs to, read. Where there is none that can be read, a decoy takes the time. */
async function compare(password: string, known: string | null | undefined): Promise<ReadHash | undefined> {
  const reading = readHash(known ?? DECOY)
  if (reading.type === 'refused') return compare(password, undefined)
  const isOwn = known == null || known.startsWith(OWN)
  for (const spelling of isOwn ? [normalise(password)] : spellings(password))
    if ((await reading.verify(spelling)) && known != null) return reading
  return undefined
}

/** What another system may have hashed: the characters as typed, or normalised in one of the usual ways. */
function spellings(password: string): ReadonlySet<string> {
  if (!isNormalisable(password)) return new Set([password])
  return new Set([password, password.normalize('NFC'), password.normalize('NFKC')])
}

/** Whether all of the password was compared, and not only a part that the scheme looks at. */
function isWhole(password: string, { bytesThatCount = Number.POSITIVE_INFINITY }: ReadHash): boolean {
  return Buffer.byteLength(password) <= bytesThatCount
}

/** RFC 8265 §4.2 keeps every character; NFC makes one password of the ways to type it. */
function normalise(password: string): string {
  return isNormalisable(password) ? password.normalize('NFC') : password
}

/**
 * Whether NFC takes no time to speak of. It sorts the marks on a letter in quadratic time, so a text of thousands must not have
 * more than 30 running (UAX #15, the stream-safe format); and over four times as many characters as a password may have
 * cannot become one, since NFC makes one of at most four.
 */
function isNormalisable(password: string): boolean {
  if (password.length <= LONGEST) return true
  return [...password].length <= 4 * LONGEST && !/\p{M}{31}/u.test(password)
}

function refuseUnfit(password: string, words: PasswordWords): string {
  if (!isNormalisable(password)) throw new AuthError('password_too_long')
  const normal = normalise(password)
  const length = [...normal].length
  if (length < SHORTEST) throw new AuthError('password_too_short')
  if (length > LONGEST) throw new AuthError('password_too_long')
  if (commonPasswords.test(normal) || commonPasswords.test(normal.toLowerCase()))
    throw new AuthError('password_too_common')
  if (isMadeOf(normal, words, { least: SHORTEST })) throw new AuthError('password_too_obvious')
  return normal
}
