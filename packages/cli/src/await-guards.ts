import { setTimeout as sleep } from 'node:timers/promises'
import type { AuthApi, GuardSeen, SigningKeyStatus } from '@mapae/server'
import type { Io } from './io.ts'
import { fromNow } from './moments.ts'

const LOOK_AGAIN = 1000
/** A key that would sign within so many milliseconds, and is not held by all, is put off. */
const TOO_CLOSE = 60_000

/**
 * Waits until every guard that was heard of lately holds the key, and tells on standard error who does not. The key is put off for as long as
 * one is missing, so that it signs nothing that a guard would have to ask about; a guard that falls silent is not waited for after ten
 * minutes. Resolves to the key as it then is.
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
      const later = await api.postponeKey(key.kid)
      if (!later) return key
      key = later
      io.stderr.write(`The key waits for them, and signs ${fromNow((key.activeFrom - io.clock()) / 1000)}.\n`)
    }
    await sleep(LOOK_AGAIN)
  }
}

function reportOf(
  guards: readonly GuardSeen[],
  missing: readonly GuardSeen[],
  now: number,
): { readonly key: string; readonly text: string } {
  if (guards.length === 0) return { key: 'none', text: 'No guard was heard of within ten minutes.\n' }
  const ready = `${guards.length - missing.length} of ${guards.length} guards hold the key.\n`
  const lines = missing.map(
    ({ id, seenAt }) => `  not yet: ${id}, heard of ${fromNow((seenAt - now) / 1000)}\n`,
  )
  return { key: [guards.length, ...missing.map(({ id }) => id)].join(), text: [ready, ...lines].join('') }
}
