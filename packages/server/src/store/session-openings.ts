import { admission } from './accounts.ts'
import { type AuditRecord, auditInsertion } from './audit-log.ts'
import type { Tx } from './open-store.ts'
import { liveSessionCount, type NewSession, sessionInsertion } from './sessions.ts'
import { type Statement, together } from './together.ts'

/**
 * Opens a session: lets its account begin it, locks the account until the transaction is over, so that logins of one account stand in
 * line, and writes the session and its line of the audit log; `alongside` come last. `isAdmitted` is false where the account was disabled,
 * deleted, or has another password hash than `passwordHash`: then the transaction must not be committed. `live` is how many sessions of
 * the account can still be renewed, this one included.
 */
export async function writeOpening(
  db: Tx,
  { session, passwordHash, audit, alongside }: SessionOpening,
): Promise<{ readonly isAdmitted: boolean; readonly live: number }> {
  const { accountId, createdAt: now } = session
  const [admitted, , , counted] = await together(db, (send) =>
    Promise.all([
      send(admission.filled(db, { id: accountId, passwordHash: passwordHash ?? null, now })),
      send(sessionInsertion.filled(db, { ...session })),
      send(auditInsertion.filled(db, { ...audit })),
      send(liveSessionCount.filled(db, { accountId, now })),
      ...alongside.map((statement) => send(statement)),
    ]),
  )
  return { isAdmitted: admitted.length === 1, live: counted[0]?.live ?? 0 }
}

export interface SessionOpening {
  readonly session: NewSession
  /** Undefined: whatever it is. */
  readonly passwordHash: string | undefined
  readonly audit: AuditRecord
  readonly alongside: readonly Statement[]
}
