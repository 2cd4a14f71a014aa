import type { Transaction } from 'kysely'
import type { Store } from '../open-store.ts'
import type { Tables } from '../tables.ts'

/** One change of the tables, on either database, inside the transaction that also writes it down. */
export type Step = (db: Transaction<Tables>, kind: Store['kind']) => Promise<void>
