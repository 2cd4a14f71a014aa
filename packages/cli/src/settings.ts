import { join, resolve } from 'node:path'
import type { AuthOptions } from '@mapae/server'
import type { Environment, VariableName } from './environment.ts'
import type { ManyFlag, Switch, ValueFlag } from './flags.ts'
import { wholeNumber } from './whole-number.ts'

/** The flags of every command that works on the database. */
export const storeFlags: Readonly<Record<'data' | 'database', ValueFlag>> = {
  data: { value: 'folder', help: 'The data folder (MAPAE_DATA; default ./data)' },
  database: {
    value: 'address',
    help: 'sqlite:<file> or postgres://…; with a password in it better as MAPAE_DATABASE, which others cannot see (default sqlite:<data>/mapae.db)',
  },
}

type ServerFlags = Readonly<
  Record<
    | 'port'
    | 'host'
    | 'url'
    | 'data'
    | 'database'
    | 'access-lifetime'
    | 'refresh-idle-lifetime'
    | 'session-lifetime'
    | 'unremembered-idle-lifetime'
    | 'sessions-per-account'
    | 'keep-ended-sessions'
    | 'keep-audit'
    | 'reuse-interval'
    | 'trust-proxy'
    | 'code-lifetime'
    | 'signing-key-lifetime',
    ValueFlag
  > & { 'allowed-origin': ManyFlag; 'dangerously-allow-http': Switch }
>

/** The flags of the server itself. */
export const serverFlags: ServerFlags = {
  port: { value: 'port', help: 'Where to listen; 0 takes a free one (MAPAE_PORT, PORT; default 4000)' },
  host: {
    value: 'host',
    help: 'The address to listen on; 0.0.0.0 is every one (MAPAE_HOST; default localhost)',
  },
  url: {
    value: 'url',
    help: 'How people reach the server: the issuer of its tokens (MAPAE_URL; default http://localhost:<port>)',
  },
  ...storeFlags,
  'access-lifetime': {
    value: 'seconds',
    help: 'How long an access token lives (MAPAE_ACCESS_LIFETIME; default 300)',
  },
  'refresh-idle-lifetime': {
    value: 'seconds',
    help: 'How long an unused session lives (MAPAE_REFRESH_IDLE_LIFETIME; default 30 days)',
  },
  'session-lifetime': {
    value: 'seconds',
    help: 'How long a session lives at most (MAPAE_SESSION_LIFETIME; default 180 days)',
  },
  'unremembered-idle-lifetime': {
    value: 'seconds',
    help: 'How long an unused session lives without "keep me logged in" (MAPAE_UNREMEMBERED_IDLE_LIFETIME; default 12 hours)',
  },
  'sessions-per-account': {
    value: 'count',
    help: 'One more ends the one not used for longest (MAPAE_SESSIONS_PER_ACCOUNT; default 100)',
  },
  'keep-ended-sessions': {
    value: 'seconds',
    help: 'How long an ended session can say why (MAPAE_KEEP_ENDED_SESSIONS; default 30 days)',
  },
  'keep-audit': {
    value: 'seconds',
    help: 'How long the audit log is kept (MAPAE_KEEP_AUDIT; default 400 days)',
  },
  'reuse-interval': {
    value: 'seconds',
    help: 'How long a repeated renewal is taken for a lost answer (MAPAE_REUSE_INTERVAL; default 30)',
  },
  'allowed-origin': {
    value: 'origin',
    many: true,
    help: 'A page that may call with cookies (MAPAE_ALLOWED_ORIGINS, with commas)',
  },
  'trust-proxy': {
    value: 'count',
    help: 'How many proxies in front append to X-Forwarded-For (MAPAE_TRUST_PROXY; default 0)',
  },
  'code-lifetime': {
    value: 'seconds',
    help: 'How long mailed codes work that reset a password or change an address (MAPAE_CODE_LIFETIME; default 3600)',
  },
  'signing-key-lifetime': {
    value: 'seconds',
    help: 'How long a key signs before the next one does; 0: until mapae keys rotate (MAPAE_SIGNING_KEY_LIFETIME; default 90 days)',
  },
  'dangerously-allow-http': {
    help: 'Serve plain http to other machines: tokens can be read on the way (MAPAE_DANGEROUSLY_ALLOW_HTTP=1)',
  },
}

/** What was given for the server, by flag or environment. */
export interface Settings {
  readonly port: number
  readonly host: string
  /** Undefined: `http://localhost:<port>`. */
  readonly url: string | undefined
  readonly dataFolder: string
  readonly database: string
  readonly options: Omit<AuthOptions, 'url' | 'secret' | 'database'>
}

type Given = {
  readonly [Name in keyof ServerFlags]?: string | readonly string[] | boolean | undefined
}

/** Puts flags before the environment and that before the defaults; refuses what is no number. */
export function readSettings(given: Given, environment: Environment): Settings {
  const text = (flag: keyof Given, ...variables: VariableName[]) =>
    textOf(given[flag], `--${flag}`) ??
    variables.map((variable) => textOf(environment[variable], variable)).find((found) => found !== undefined)
  const number = (
    flag: keyof Given,
    [least, most]: readonly [number, number],
    ...variables: VariableName[]
  ) => {
    const found = text(flag, ...variables)
    return found && wholeNumber(found.value, { name: found.name, least, most })
  }
  const dataFolder = resolve(text('data', 'MAPAE_DATA')?.value ?? 'data')
  return {
    port: number('port', [0, 65_535], 'MAPAE_PORT', 'PORT') ?? 4000,
    host: text('host', 'MAPAE_HOST')?.value ?? 'localhost',
    url: text('url', 'MAPAE_URL')?.value,
    dataFolder,
    database: text('database', 'MAPAE_DATABASE')?.value ?? `sqlite:${join(dataFolder, 'mapae.db')}`,
    options: withoutUndefined({
      accessTokenLifetime: number('access-lifetime', LIFETIME, 'MAPAE_ACCESS_LIFETIME'),
      sessionIdleLifetime: number('refresh-idle-lifetime', LIFETIME, 'MAPAE_REFRESH_IDLE_LIFETIME'),
      sessionLifetime: number('session-lifetime', LIFETIME, 'MAPAE_SESSION_LIFETIME'),
      unrememberedIdleLifetime: number(
        'unremembered-idle-lifetime',
        LIFETIME,
        'MAPAE_UNREMEMBERED_IDLE_LIFETIME',
      ),
      sessionsPerAccount: number('sessions-per-account', [1, 10_000], 'MAPAE_SESSIONS_PER_ACCOUNT'),
      keepEndedSessions: number('keep-ended-sessions', [0, 10 ** 9], 'MAPAE_KEEP_ENDED_SESSIONS'),
      keepAudit: number('keep-audit', LIFETIME, 'MAPAE_KEEP_AUDIT'),
      reuseInterval: number('reuse-interval', [0, 300], 'MAPAE_REUSE_INTERVAL'),
      allowedOrigins: originsOf(given['allowed-origin']) ?? splitList(environment.MAPAE_ALLOWED_ORIGINS),
      trustProxy: number('trust-proxy', [0, 10], 'MAPAE_TRUST_PROXY'),
      codeLifetime: number('code-lifetime', [300, 86_400], 'MAPAE_CODE_LIFETIME'),
      passwordWords: splitList(environment.MAPAE_PASSWORD_WORDS),
      signingKeyLifetime: number('signing-key-lifetime', [0, 10 ** 9], 'MAPAE_SIGNING_KEY_LIFETIME'),
      revocationFeed: feedOf(environment.MAPAE_REVOCATION_FEED_TOKEN),
      dangerouslyAllowHttp:
        given['dangerously-allow-http'] === true || environment.MAPAE_DANGEROUSLY_ALLOW_HTTP === '1',
    }),
  }
}

/** A secret: others can see the flags of a process. */
function feedOf(token: string | undefined): AuthOptions['revocationFeed'] {
  return token === undefined ? undefined : { token }
}

const LIFETIME = [1, 10 ** 9] as const

function textOf(value: unknown, name: string): { readonly value: string; readonly name: string } | undefined {
  return typeof value === 'string' && value !== '' ? { value, name } : undefined
}

function originsOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined
}

/** A list with commas or line breaks between. */
export function splitList(text: string | undefined): readonly string[] | undefined {
  return text
    ?.split(/[,\n]/)
    .map((one) => one.trim())
    .filter(Boolean)
}

function withoutUndefined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}
