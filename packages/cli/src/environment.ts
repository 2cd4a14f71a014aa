const NAMES = [
  'MAPAE_URL',
  'MAPAE_SECRET',
  'MAPAE_DATABASE',
  'MAPAE_DATA',
  'MAPAE_HOST',
  'MAPAE_PORT',
  'PORT',
  'MAPAE_ACCESS_LIFETIME',
  'MAPAE_REFRESH_IDLE_LIFETIME',
  'MAPAE_SESSION_LIFETIME',
  'MAPAE_UNREMEMBERED_IDLE_LIFETIME',
  'MAPAE_SESSIONS_PER_ACCOUNT',
  'MAPAE_KEEP_ENDED_SESSIONS',
  'MAPAE_KEEP_AUDIT',
  'MAPAE_REUSE_INTERVAL',
  'MAPAE_ALLOWED_ORIGINS',
  'MAPAE_TRUST_PROXY',
  'MAPAE_PASSWORD_WORDS',
  'MAPAE_SIGNING_KEY_LIFETIME',
  'MAPAE_REVOCATION_FEED_TOKEN',
  'MAPAE_DANGEROUSLY_ALLOW_HTTP',
  'MAPAE_SMTP_URL',
  'MAPAE_MAIL_FROM',
  'MAPAE_REGISTRATION',
  'MAPAE_CODE_LIFETIME',
  'MAPAE_DANGEROUSLY_ALLOW_PLAINTEXT_SMTP',
  'NODE_ENV',
  'NO_COLOR',
  'TERM',
] as const

export type VariableName = (typeof NAMES)[number]

/** The environment variables that the command knows. One that is empty counts as not set. */
export type Environment = { readonly [Name in VariableName]?: string | undefined }

/** Reads the environment. This is the only place that does; libraries never do. */
export function readEnvironment(): Environment {
  return Object.fromEntries(NAMES.map((name) => [name, process.env[name] || undefined]))
}
