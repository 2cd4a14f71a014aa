import type { Settings } from './options.ts'
import { deleteDrainedBrakes } from './store/brakes.ts'
import { deleteExpiredCodes } from './store/codes.ts'
import { sweepDeletedAccounts } from './store/deleted-accounts.ts'
import { deleteExpiredProofs } from './store/dpop-proofs.ts'
import { deleteExpiredMails } from './store/mails.ts'
import type { Db } from './store/open-store.ts'
import { sweepRevocations } from './store/revocations.ts'
import { sweepEndedSessions, sweepExpiredSessions } from './store/session-sweeps.ts'

/** Clears one kind of row that is over: one short batch, which others may be clearing at the same time. */
export interface Sweep {
  readonly name: string
  /** Returns how many rows it dealt with, of at most about `limit`; fewer than `limit`: nothing is left. */
  run(
    db: Db,
    at: { readonly now: number; readonly limit: number; readonly settings: Settings },
  ): Promise<number>
}

/** Everything that is swept, in this order. Signing keys and the audit log are not: both may be needed for good. */
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
  { name: 'dpop_proofs', run: (db, at) => deleteExpiredProofs(db, at) },
  // More at once: the rows are small, and a flood of guesses makes hundreds a second.
  { name: 'brakes', run: (db, at) => deleteDrainedBrakes(db, { now: at.now, limit: 5 * at.limit }) },
]

/** What was over by this moment need not explain itself any more. Milliseconds. */
function forgotten({ now, settings }: { now: number; settings: Settings }): number {
  return now - settings.keepEndedSessions * 1000
}
