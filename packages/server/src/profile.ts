import { z } from 'zod'

/**
 * What a person tells of themselves: the claims of OpenID Connect Core §5.1 that go with the scope `profile`, but
 * for `name`, which every account has, and `preferred_username`, which is an identifier here. None of it is
 * verified, none of it is in an access token, and one that was not told is absent.
 */
export interface Profile {
  readonly given_name?: string
  readonly family_name?: string
  readonly middle_name?: string
  readonly nickname?: string
  /** An https address of a picture. */
  readonly picture?: string
  /** The address of a page about the person. */
  readonly profile?: string
  readonly website?: string
  readonly gender?: string
  /** `YYYY-MM-DD`, `YYYY`, or `0000-MM-DD` without the year. */
  readonly birthdate?: string
  /** A name of the IANA time zone database, such as `Asia/Seoul`. */
  readonly zoneinfo?: string
  /** A language tag (BCP 47, RFC 5646), such as `ko-KR`. */
  readonly locale?: string
}

/** Members that are there are written, `null` takes one away, the others stay (RFC 7396). */
export type ProfileChange = { readonly [Name in keyof Profile | 'name']?: string | null | undefined }

const LONGEST_NAME = 200
const LONGEST_ADDRESS = 2048

/** A name in any script, on one line. Blank is null: no name. */
export const personName: z.ZodType<string | null> = z
  .string()
  .max(LONGEST_NAME)
  .refine((value) => value.isWellFormed() && !/\p{Cc}/u.test(value), 'must be text on one line')
  .transform((value) => value.normalize('NFC').trim() || null)

const birthdate = z.string().max(10).refine(isBirthdate, 'must be YYYY-MM-DD, YYYY or 0000-MM-DD')
const timeZone = z.string().max(64).refine(isTimeZone, 'must be a time zone such as Asia/Seoul')
const locale = z
  .string()
  .max(64)
  .refine((tag) => canonicalLocale(tag) !== undefined, 'must be a language tag such as ko-KR')
  .transform((tag) => canonicalLocale(tag) ?? null)

/** What each member takes. */
export const profileFields: Readonly<Record<keyof ProfileChange, z.ZodType<string | null | undefined>>> = {
  name: personName.nullish(),
  given_name: personName.nullish(),
  family_name: personName.nullish(),
  middle_name: personName.nullish(),
  nickname: personName.nullish(),
  picture: address('https:').nullish(),
  profile: address('https:', 'http:').nullish(),
  website: address('https:', 'http:').nullish(),
  gender: personName.nullish(),
  birthdate: birthdate.nullish(),
  zoneinfo: timeZone.nullish(),
  locale: locale.nullish(),
}

export const profileChange: z.ZodType<ProfileChange> = z.object(profileFields)

/** The names of a profile's members. */
export const profileClaims: readonly string[] = Object.keys(profileFields).filter((name) => name !== 'name')

/** A profile as its column keeps it: JSON text that we wrote. */
export function parseProfile(column: string | null): Profile {
  const kept: unknown = column === null ? {} : JSON.parse(column)
  if (typeof kept !== 'object' || kept === null) return {}
  return Object.fromEntries(
    Object.entries(kept).filter(([name, value]) => profileClaims.includes(name) && typeof value === 'string'),
  )
}

/** A profile with a change made, as its column keeps it; null for an empty one. */
export function changedProfile(column: string | null, { name: _, ...change }: ProfileChange): string | null {
  const members = Object.entries({ ...parseProfile(column), ...change })
  const kept = members.filter(([, value]) => typeof value === 'string')
  return kept.length === 0 ? null : JSON.stringify(Object.fromEntries(kept))
}

function address(...protocols: readonly string[]): z.ZodType<string> {
  return z
    .string()
    .max(LONGEST_ADDRESS)
    .refine((value) => isAddress(value, protocols), `must be an address with ${protocols.join('// or ')}//`)
    .transform((value) => new URL(value).href)
}

/** No user and password in it: they would be shown to everybody. */
function isAddress(value: string, protocols: readonly string[]): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, username, password, href } = new URL(value)
  return protocols.includes(protocol) && username === '' && password === '' && href.length <= LONGEST_ADDRESS
}

const BIRTHDATE = /^(\d{4})(?:-(\d{2})-(\d{2}))?$/

function isBirthdate(value: string): boolean {
  const [, year = '', month, day] = BIRTHDATE.exec(value) ?? []
  if (month === undefined || day === undefined) return Number(year) > 0
  // A year that is left out can be a leap year.
  const date = new Date(`${year === '0000' ? '2000' : year}-${month}-${day}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(day)
}

/** Offsets such as `+09:00` are no names. */
const ZONE = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/

function isTimeZone(name: string): boolean {
  try {
    return ZONE.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}

function canonicalLocale(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag)[0]
  } catch {
    return undefined
  }
}
