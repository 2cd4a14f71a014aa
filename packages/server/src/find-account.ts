import { keyOf, typedIdentifiers } from './identifier.ts'
import { type AccountRecord, findAccountByNames, type IdentifierRecord } from './store/accounts.ts'
import { renewKey } from './store/identifiers.ts'
import type { Db } from './store/open-store.ts'

/**
 * The account that somebody means by an e-mail address or username as it was typed. Every key under which it may be is looked for in one
 * statement, found or not, so that the time it takes tells nothing.
 */
export async function findAccountTyped(db: Db, typed: string): Promise<AccountRecord | undefined> {
  return (await findTyped(db, typed))?.account
}

/** The same, with all of its identifiers. */
export function findTyped(db: Db, typed: string): ReturnType<typeof findAccountByNames> {
  return findAccountByNames(db, typedIdentifiers(typed))
}

/**
 * Gives identifiers the key that they have by now, unless another account has it. An older version that runs beside this one while it is
 * being put in its place goes on writing the former keys.
 */
export async function renewKeys(db: Db, identifiers: readonly IdentifierRecord[]): Promise<void> {
  for (const { kind, value, display } of identifiers) {
    const key = keyOf({ kind, display })
    if (key !== value) await renewKey(db, { kind, from: value, to: key })
  }
}
