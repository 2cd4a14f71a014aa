import { setTimeout as sleep } from 'node:timers/promises'
import type { AuthApi, GuardSeen, SigningKeyStatus } from '@mapae/server'
import type { Io } from './io.ts'
import { fromNow } from './moments.ts'

const LOOK_AGAIN = 1000
/** A key that would sign within so many milliseconds, and is not held by all, is put off. */
const TOO_CLOSE = 60_000

/** Of those that are missing so many are named. */
const NAMED = 20

/**
 * Waits until every guard that was heard of lately holds the key, and tells on standard error who does not. The key is put off for as long as
 * one is missing that has shown the token of the feed, so that it signs nothing that a guard would have to ask about; a guard that falls
 * silent is not waited for after ten minutes. Of an open feed anybody may say that they are a guard: for those nothing is put off.
 * Resolves to the key as it then is.
 */
export async function awaitGuards(api: AuthApi, made: SigningKeyStatus, io: Io): Promise<SigningKeyStatus> {
  let key = made
  let told = ''
  for (;;) {
    const guards = await api.listGuards()
    const missing = guards.filter(({ isReady }) => !isReady)
    const report = reportOf(guards, missing, io.clock())
    if (report.key !== told) io.stderr.write(report.text)
    told = report.key
    if (missing.length === 0) return key
    if (key.activeFrom - io.clock() < TOO_CLOSE) {
      const later = await putOff(api, key, missing)
      io.stderr.write(`The key ${later ? 'waits for them, and ' : ''}signs ${whenSigns(later ?? key, io)}.\n`)
      if (!later) return key
      key = later
    }
    await sleep(LOOK_AGAIN)
  }
}

/** Nothing, where the key is not put off: it signs at its time. */
async function putOff(
  api: AuthApi,
  { kid }: SigningKeyStatus,
  missing: readonly GuardSeen[],
): Promise<SigningKeyStatus | undefined> {
  return missing.some(({ isKnown }) => isKnown) ? api.postponeKey(kid) : undefined
}

function whenSigns({ activeFrom }: SigningKeyStatus, io: Io): string {
  return fromNow((activeFrom - io.clock()) / 1000)
}

function reportOf(
  guards: readonly GuardSeen[],
  missing: readonly GuardSeen[],
  now: number,
): { readonly key: string; readonly text: string } {
  if (guards.length === 0) return { key: 'none', text: 'No guard was heard of within ten minutes.\n' }
  const lines = [
    `${guards.length - missing.length} of ${guards.length} guards hold the key.`,
    ...missing
      .slice(0, NAMED)
      .map(({ id, seenAt }) => `  not yet: ${id}, heard of ${fromNow((seenAt - now) / 1000)}`),
    ...(missing.length > NAMED ? [`  and ${missing.length - NAMED} more`] : []),
    ...(missing.some(({ isKnown }) => !isKnown) ? [OPEN] : []),
  ]
  const names = missing.map(({ id }) => id)
  return { key: [guards.length, ...names].join(), text: `${lines.join('\n')}\n` }
}

const OPEN =
  'The feed is open, so anybody can say that they are a guard: for those the key is not put off. MAPAE_REVOCATION_FEED_TOKEN closes it.'
