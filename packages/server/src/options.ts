import { isLoopback } from '@mapae/guard/http'
import { z } from 'zod'
import { AuthError } from './auth-error.ts'
import { type BrakeLimits, type BrakeName, defaultLimits, LONGEST_WAIT } from './brake-limits.ts'
import type { Clock } from './clock.ts'
import type { AuthEvent } from './events.ts'
import type { Letters } from './letters.ts'
import type { Locate } from './locate.ts'
import type { Pages } from './pages.ts'
import { isPasswordWord } from './password-words.ts'
import { type DatabaseAddress, parseDatabaseAddress } from './store/open-store.ts'

/** What `createAuth` takes. Durations are seconds. Only `url` and `secret` are required. */
export interface AuthOptions {
  /** Where people reach this server, for example `https://auth.example.com`: the issuer of its tokens. */
  readonly url: string
  /** At least 32 characters that nobody else knows; a list is newest first, and the older ones only read. */
  readonly secret: string | readonly string[]
  /** `sqlite:<file>` or `postgres://…`. @default 'sqlite:./data/mapae.db' */
  readonly database?: string
  /** The PostgreSQL schema that holds the tables. @default 'mapae' */
  readonly databaseSchema?: string
  /** Create and update the tables when the server starts. @default true */
  readonly autoMigrate?: boolean
  /** The `aud` of access tokens. @default the url */
  readonly audience?: string
  /** What people may log in with. @default ['email', 'username'] */
  readonly identifiers?: readonly ('email' | 'username')[]
  /** Origins of other pages that may call this server with credentials. @default [] */
  readonly allowedOrigins?: readonly string[]
  /** @default 300 */
  readonly accessTokenLifetime?: number
  /** How long a session lives without being used. @default 2_592_000 (30 days) */
  readonly sessionIdleLifetime?: number
  /** How long a session lives at most. @default 15_552_000 (180 days) */
  readonly sessionLifetime?: number
  /**
   * How long a session lives without being used when "keep me logged in" is off. The browser's own end comes
   * first where it forgets its cookies. @default 43_200 (12 hours), or `sessionIdleLifetime` where that is less
   */
  readonly unrememberedIdleLifetime?: number
  /** Sessions that an account may have at once; one more ends the one not used for longest. @default 100 */
  readonly sessionsPerAccount?: number
  /** How long an ended session can say why it ended. @default 2_592_000 (30 days) */
  readonly keepEndedSessions?: number
  /** How long the audit log is kept. Time lines of sessions are made of it. @default 34_560_000 (400 days) */
  readonly keepAudit?: number
  /** Seconds, about, between two sweeps of what is over; 0: only when `auth.api.sweep()` is called. @default 60 */
  readonly sweepInterval?: number
  /** How long a retry without its attempt id is taken for a lost answer; 0 turns it off. @default 30 */
  readonly reuseInterval?: number
  /** Whether renewal needs the access token too (the founding document's step 12). @default 'required' */
  readonly accessTokenOnRefresh?: 'required' | 'verified-if-sent'
  /** @default 'ES256' */
  readonly signingAlgorithm?: 'ES256' | 'RS256' | 'Ed25519'
  /** How long a signing key signs before another takes its place; 0: until `mapae keys rotate`. @default 7_776_000 (90 days) */
  readonly signingKeyLifetime?: number
  /**
   * `GET /revocations`: with `token`, for holders of it alone; `connections` is how many guards one replica serves at once,
   * in equal shares for the networks they come from where that is too few.
   * @default { connections: 1000 }: it holds hashes alone, and is open to everybody, as the key set is
   */
  readonly revocationFeed?: { readonly token?: string; readonly connections?: number }
  /**
   * Adds namespaced claims to an account's access tokens. Registered and Mapae's own names are refused, and so is what looks like
   * a secret, a card or identity number, or personal data (names, e-mail and other addresses, phone numbers, birth dates): the request
   * is answered 500 `claims_refused`, and the event `error` names the claim. An API that needs such data asks for the account.
   */
  readonly claims?: (account: ClaimsAccount) => Readonly<Record<string, unknown>>
  /** Lets such claims pass: those named, or all. Anyone who holds a token can read them. @default false */
  readonly dangerouslyAllowSensitiveClaims?: boolean | readonly string[]
  /**
   * Characters of an access token from which it is told of (`access_token.large`), and from which it is not made (500
   * `claims_refused`): phones' key stores hold 2048 bytes, a cookie 4096. @default { warn: 1024, refuse: 1800 }
   */
  readonly accessTokenBudget?: { readonly warn?: number; readonly refuse?: number }
  /** How many reverse proxies in front append to `X-Forwarded-For`. @default 0: the header is not believed */
  readonly trustProxy?: number
  /** Passwords hashed at once, and how many may wait before the answer is 503. @default { atOnce: cores, waiting: 128 } */
  readonly passwordHashing?: { readonly atOnce?: number; readonly waiting?: number }
  /**
   * Words that a password must not be made of, each of four letters or digits and more: names of your organisation, products, projects,
   * departments. Those of the site's address and of the account itself count always; see docs/accounts.md. @default []
   */
  readonly passwordWords?: readonly string[]
  /**
   * How often what can be guessed may be tried, and mails and accounts asked for; see docs/brakes.md. Counting by address
   * needs to know it: tell `fetch` the connection's, and `trustProxy`. @default those of brake-limits.ts
   */
  readonly brakes?: Partial<BrakeLimits>
  /** Count nothing: passwords can be guessed as fast as they can be compared. @default false */
  readonly dangerouslyDisableBrakes?: boolean
  /** The time, in milliseconds. @default Date.now */
  readonly clock?: Clock
  /** Outgoing requests. @default globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch
  /**
   * `verify-first` makes no account before its e-mail address was proved, and answers known and unknown addresses
   * alike; it needs a `mailer`. @default 'open': people are logged in at once and prove the address later, or not
   */
  readonly registration?: 'open' | 'verify-first'
  /**
   * How long mailed codes work that reset a password or change an address, from 300 on. OWASP's ASVS asks for 600 at most; mail may be
   * slower. @default 3600
   */
  readonly codeLifetime?: number
  /** Sends mail. @default none: features that need mail are off */
  readonly mailer?: Mailer
  /** Writes the mails. @default plain texts in Korean and English */
  readonly letters?: Letters
  /** Draws the pages. @default a plain start page */
  readonly pages?: Pages
  /**
   * Hears what happens, after it was written down; docs/events.md lists it all. Nothing waits for it, and what it throws or rejects
   * with goes to stderr. @default server errors go to stderr
   */
  readonly onEvent?: (event: AuthEvent) => void | Promise<void>
  /**
   * Says where an address is, in a few words such as `Seoul, KR`, for lists and time lines of sessions: asked at a login and when a
   * session is used from somewhere new. What takes over 200 ms or fails is done without; 32 may be under way,
   * and what was not answered in half a minute counts no more. @default none: networks alone are shown
   */
  readonly locate?: Locate
  /** Serve plain http on a host other than localhost. Tokens can be read on the way. @default false */
  readonly dangerouslyAllowHttp?: boolean
  /** Share the cookies with every sub-domain of this domain: each of them can then steal them. @default none */
  readonly dangerousCookieDomain?: string
  /** Serve although the clock differs from the database's. For tests that own the clock. @default false */
  readonly dangerouslyIgnoreClockSkew?: boolean
}

export interface ClaimsAccount {
  readonly id: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
}

/**
 * Sends one mail; called again later when it rejects, unless the error's `permanent` is true. An error's `code` and
 * `responseCode` are told to `onEvent`, its message, which may name the addressee, is not.
 */
export type Mailer = (mail: {
  readonly to: string
  readonly subject: string
  readonly text: string
}) => Promise<void>

/** The options, checked, with every default filled in. Durations are seconds still. */
export interface Settings extends Required<Omit<AuthOptions, 'secret' | 'database' | Port | Optional>> {
  readonly secrets: readonly string[]
  readonly address: DatabaseAddress
  readonly clock: Clock
  readonly fetch: typeof globalThis.fetch
  readonly claims: AuthOptions['claims'] | undefined
  readonly mailer: Mailer | undefined
  readonly letters: Letters | undefined
  readonly pages: Pages | undefined
  readonly onEvent: AuthOptions['onEvent'] | undefined
  readonly locate: Locate | undefined
  readonly passwordHashing: { readonly atOnce?: number | undefined; readonly waiting?: number | undefined }
  readonly accessTokenBudget: { readonly warn: number; readonly refuse: number }
  readonly brakes: BrakeLimits
  readonly revocationFeed: { readonly token?: string | undefined; readonly connections: number }
  readonly dangerousCookieDomain: string | undefined
}

type Port = 'clock' | 'fetch' | 'mailer' | 'letters' | 'pages' | 'onEvent' | 'locate'
type Optional =
  | 'claims'
  | 'revocationFeed'
  | 'passwordHashing'
  | 'accessTokenBudget'
  | 'brakes'
  | 'dangerousCookieDomain'

const duration = (fallback: number) =>
  z
    .number()
    .int()
    .positive()
    .max(10 ** 9)
    .default(fallback)
/** A cookie holds 4096 bytes, its name and attributes among them. */
const characters = (fallback: number) => z.number().int().positive().max(3800).default(fallback)
const func = <T>() => z.custom<T>((value) => typeof value === 'function', 'must be a function').optional()
const brakeLimit = (name: BrakeName) =>
  z
    .strictObject({
      atOnce: z
        .number()
        .int()
        .positive()
        .max(10 ** 6),
      every: z.number().int().positive().max(LONGEST_WAIT),
    })
    .default(defaultLimits[name])
const secret = z.string().min(32, 'must have at least 32 characters')

/** Twelve hours: a working day with its breaks, and over by the next morning. */
const UNREMEMBERED = 43_200

const schema = z.strictObject({
  url: z.url('must be an absolute URL'),
  secret: z.union([secret, z.array(secret).min(1)]),
  database: z.string().default('sqlite:./data/mapae.db'),
  databaseSchema: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'must be a plain lower-case name')
    .default('mapae'),
  autoMigrate: z.boolean().default(true),
  audience: z.string().min(1).optional(),
  identifiers: z
    .array(z.enum(['email', 'username']))
    .min(1)
    .default(['email', 'username']),
  allowedOrigins: z.array(z.string()).default([]),
  accessTokenLifetime: duration(300),
  sessionIdleLifetime: duration(30 * 86_400),
  sessionLifetime: duration(180 * 86_400),
  unrememberedIdleLifetime: z.number().int().positive().optional(),
  sessionsPerAccount: z.number().int().min(1).max(10_000).default(100),
  keepEndedSessions: z
    .number()
    .int()
    .min(0)
    .max(10 ** 9)
    .default(30 * 86_400),
  keepAudit: duration(400 * 86_400),
  sweepInterval: z.number().int().min(0).max(86_400).default(60),
  reuseInterval: z.number().min(0).max(300).default(30),
  accessTokenOnRefresh: z.enum(['required', 'verified-if-sent']).default('required'),
  signingAlgorithm: z.enum(['ES256', 'RS256', 'Ed25519']).default('ES256'),
  signingKeyLifetime: z
    .number()
    .int()
    .max(10 ** 9)
    .refine((seconds) => seconds === 0 || seconds >= 3600, 'must be 0, or an hour or more')
    .default(90 * 86_400),
  revocationFeed: z
    .strictObject({
      token: z
        .string()
        .regex(/^[\w.~+/-]{16,256}=*$/, 'must be 16 to 256 characters of those that a Bearer token may have')
        .optional(),
      connections: z.number().int().min(1).max(100_000).default(1000),
    })
    .default({ connections: 1000 }),
  claims: func<NonNullable<AuthOptions['claims']>>(),
  dangerouslyAllowSensitiveClaims: z.union([z.boolean(), z.array(z.string())]).default(false),
  accessTokenBudget: z
    .strictObject({ warn: characters(1024), refuse: characters(1800) })
    .default({ warn: 1024, refuse: 1800 }),
  trustProxy: z.number().int().min(0).max(10).default(0),
  passwordHashing: z
    .strictObject({
      atOnce: z.number().int().positive().optional(),
      waiting: z.number().int().min(0).optional(),
    })
    .default({}),
  passwordWords: z
    .array(z.string().max(64).refine(isPasswordWord, 'must have four letters or digits, or more'))
    .max(1000)
    .default([]),
  brakes: z
    .strictObject({
      knownDevice: brakeLimit('knownDevice'),
      accountFromNetwork: brakeLimit('accountFromNetwork'),
      account: brakeLimit('account'),
      loginsFromAddress: brakeLimit('loginsFromAddress'),
      sessionsOfAccount: brakeLimit('sessionsOfAccount'),
      sessionsFromAddress: brakeLimit('sessionsFromAddress'),
      reauthentication: brakeLimit('reauthentication'),
      codesFromAddress: brakeLimit('codesFromAddress'),
      registrationsFromAddress: brakeLimit('registrationsFromAddress'),
      mailsToMailbox: brakeLimit('mailsToMailbox'),
      mailsFromAddress: brakeLimit('mailsFromAddress'),
    })
    .prefault({}),
  dangerouslyDisableBrakes: z.boolean().default(false),
  clock: func<Clock>(),
  fetch: func<typeof globalThis.fetch>(),
  registration: z.enum(['open', 'verify-first']).default('open'),
  codeLifetime: z.number().int().min(300).max(86_400).default(3600),
  mailer: func<Mailer>(),
  letters: func<Letters>(),
  pages: func<Pages>(),
  onEvent: func<NonNullable<AuthOptions['onEvent']>>(),
  locate: func<Locate>(),
  dangerouslyAllowHttp: z.boolean().default(false),
  dangerousCookieDomain: z
    .string()
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'must be a domain name')
    .optional(),
  dangerouslyIgnoreClockSkew: z.boolean().default(false),
})

/** Checks once, at start. Throws `AuthError` `options_invalid` with one clear sentence. */
export function parseOptions(options: AuthOptions): Settings {
  const parsed = schema.safeParse(options)
  if (!parsed.success) throw invalid(parsed.error.issues[0])
  const settings = parsed.data
  const url = new URL(settings.url)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw bad('url', 'must begin with https://')
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !settings.dangerouslyAllowHttp) {
    throw bad('url', 'must be https unless the host is localhost')
  }
  if (url.pathname !== '/' || url.search || url.hash || url.username) {
    throw bad('url', 'must be an origin, with no path, query or user')
  }
  const address = parseDatabaseAddress(settings.database)
  if (!address) throw bad('database', 'must be sqlite:<file> or postgres://…')
  for (const origin of settings.allowedOrigins)
    if (!isOrigin(origin)) throw bad('allowedOrigins', 'must hold origins such as https://app.example.com')
  if (settings.sessionIdleLifetime > settings.sessionLifetime)
    throw bad('sessionIdleLifetime', 'must not exceed sessionLifetime')
  const unrememberedIdleLifetime =
    settings.unrememberedIdleLifetime ?? Math.min(UNREMEMBERED, settings.sessionIdleLifetime)
  if (unrememberedIdleLifetime > settings.sessionIdleLifetime)
    throw bad('unrememberedIdleLifetime', 'must not exceed sessionIdleLifetime')
  if (settings.registration === 'verify-first') {
    if (!settings.mailer) throw bad('registration', 'verify-first needs a mailer')
    if (!settings.identifiers.includes('email'))
      throw bad('registration', 'verify-first needs e-mail addresses')
  }
  const { secret, database: _, ...rest } = settings
  return {
    ...rest,
    url: url.origin,
    audience: settings.audience ?? url.origin,
    unrememberedIdleLifetime,
    secrets: typeof secret === 'string' ? [secret] : secret,
    address,
    clock: settings.clock ?? Date.now,
    fetch: settings.fetch ?? globalThis.fetch,
    claims: settings.claims,
    mailer: settings.mailer,
    letters: settings.letters,
    pages: settings.pages,
    onEvent: settings.onEvent,
    locate: settings.locate,
    dangerousCookieDomain: settings.dangerousCookieDomain,
  }
}

function invalid(issue: z.core.$ZodIssue | undefined): AuthError {
  if (issue?.code === 'unrecognized_keys')
    return new AuthError('options_invalid', `There is no option named ${issue.keys.join(', ')}.`)
  return bad(issue?.path.join('.') ?? '', issue?.message ?? 'is not valid')
}

function bad(name: string, problem: string): AuthError {
  return new AuthError('options_invalid', `The option ${name}: ${problem}.`)
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}
