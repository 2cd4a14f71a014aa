import { foundation } from './migrations/0001-foundation.ts'
import { boundSessions } from './migrations/0002-bound-sessions.ts'
import { mailedCodes } from './migrations/0003-mailed-codes.ts'
import { accountLife } from './migrations/0004-account-life.ts'
import { brakes } from './migrations/0005-brakes.ts'
import { auditTrail } from './migrations/0006-audit-trail.ts'
import { revocationFeed } from './migrations/0007-revocation-feed.ts'
import { identifierKeys } from './migrations/0008-identifier-keys.ts'
import { knownGuards } from './migrations/0009-known-guards.ts'
import type { Step } from './migrations/step.ts'

/** In order; a step that was released is never changed, the next one mends it. */
export const migrations: Readonly<Record<string, Step>> = {
  '0001-foundation': foundation,
  '0002-bound-sessions': boundSessions,
  '0003-mailed-codes': mailedCodes,
  '0004-account-life': accountLife,
  '0005-brakes': brakes,
  '0006-audit-trail': auditTrail,
  '0007-revocation-feed': revocationFeed,
  '0008-identifier-keys': identifierKeys,
  '0009-known-guards': knownGuards,
}
