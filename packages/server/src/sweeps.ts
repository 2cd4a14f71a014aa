import type { Settings } from './options.ts'
import { sweepAudit } from './store/audit-log.ts'
import { deleteDrainedBrakes } from './store/brakes.ts'
import { deleteExpiredCodes } from './store/codes.ts'
import { sweepDeletedAccounts } from './store/deleted-accounts.ts'
import { deleteExpiredProofs } from './store/dpop-proofs.ts'
import { forgetGuards } from './store/guards.ts'
import { deleteExpiredMails } from './store/mails.ts'
import type { Db } from './store/open-store.ts'
import { sweepRevocations } from './store/revocations.ts'
import { sweepEndedSessions, sweepExpiredSessions } from './store/session-sweeps.ts'

/** Clears one kind of row that is over: one short batch, which others may be clearing at the same time. */
export interface Sweep {
  readonly name: string
  /** Rows in one statement, where they are not like those of the others. @default 200 */
  readonly batch?: number
  /** Returns how many rows it dealt with, of at most about `limit`; fewer than `limit`: nothing is left. */
  run(
    db: Db,
    at: { readonly now: number; readonly limit: number; readonly settings: Settings },
  ): Promise<number>
}

/** Everything that is swept, in this order. Signing keys are not: they may be needed for good. */
export const sweeps: readonly Sweep[] = [
  {
    name: 'sessions_ended',
    run: (db, at) => sweepEndedSessions(db, { before: forgotten(at), limit: at.limit }),
  },
  {
    name: 'sessions_expired',
    run: (db, at) => sweepExpiredSessions(db, { before: forgotten(at), limit: at.limit }),
  },
  {
    name: 'accounts_deleted',
    run: (db, at) => sweepDeletedAccounts(db, { before: forgotten(at), limit: at.limit }),
  },
  { name: 'revocations', run: (db, at) => sweepRevocations(db, at) },
  { name: 'codes', run: (db, at) => deleteExpiredCodes(db, at) },
  { name: 'mails', run: (db, at) => deleteExpiredMails(db, at) },
  // Two short columns, and a row for every request of a bound session: a round keeps up with 1,600 of them a second.
  { name: 'dpop_proofs', batch: 2000, run: (db, at) => deleteExpiredProofs(db, at) },
  {
    name: 'audit',
    run: (db, { now, limit, settings }) => sweepAudit(db, { before: now - settings.keepAudit * 1000, limit }),
  },
  // Small rows too, and a flood of guesses makes hundreds a second.
  { name: 'brakes', batch: 2000, run: (db, at) => deleteDrainedBrakes(db, at) },
  { name: 'guards', run: (db, { now, limit }) => forgetGuards(db, { before: now - GUARDS_KEPT, limit }) },
]

/** Guards are waited for when they were heard of within ten minutes. */
const GUARDS_KEPT = 3_600_000

/** What was over by this moment need not explain itself any more. Milliseconds. */
function forgotten({ now, settings }: { now: number; settings: Settings }): number {
  return now - settings.keepEndedSessions * 1000
}
