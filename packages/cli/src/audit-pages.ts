import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditLine, AuditPage, Auth } from '@mapae/server'
import type { Output } from './io.ts'

export type AuditFilter = Omit<AuditPage, 'after' | 'limit'>

/** The audit log page by page, for as long as somebody reads; one page at a time is in memory. */
export async function* auditPages(
  api: Auth['api'],
  filter: AuditPage,
  stdout: Output,
): AsyncGenerator<readonly AuditLine[]> {
  for (let { after = 0 } = filter; stdout.writable !== false; ) {
    const page = await api.readAudit({ ...filter, after })
    const last = page.at(-1)
    if (!last) return
    yield page
    after = last.seq
  }
}

const PAUSE = 1000
/** Milliseconds: of transactions side by side one with a lower number can be through later, but not as late as this. */
const SETTLED = 60_000

/** The same, and then what comes, until nobody reads any more. No line is left out, and none comes twice. */
export async function* followAudit(
  api: Auth['api'],
  filter: AuditFilter,
  { stdout, clock }: { readonly stdout: Output; readonly clock: () => number },
): AsyncGenerator<readonly AuditLine[]> {
  let settled = 0
  const told = new Set<number>()
  while (stdout.writable !== false) {
    let isSettled = true
    for await (const page of auditPages(api, { ...filter, after: settled }, stdout)) {
      yield page.filter(({ seq }) => !told.has(seq))
      for (const { seq, at } of page) {
        isSettled &&= Date.parse(at) < clock() - SETTLED
        if (isSettled) told.delete(seq)
        else told.add(seq)
        if (isSettled) settled = seq
      }
    }
    await sleep(PAUSE)
  }
}
