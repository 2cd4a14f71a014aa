/** A wrong password, where one was asked for. */
export type Failure = (
  | { readonly type: 'login.failed'; readonly accountId: string | null }
  | { readonly type: 'reauthentication.failed'; readonly accountId: string }
) & { readonly at: number; readonly detail?: Readonly<Record<string, unknown>> }

/** Lines of the audit log that failures may take in a minute, for accounts that there are and for others. */
const LINES = 60
const MINUTE = 60_000

/** How many failures were written down in this minute, and how many were not since the last one that was. */
export interface FailureLog {
  /** Undefined: not this one. Else it is to be written, with the number of those before it that were not. */
  admit(failure: Failure): { readonly unwritten: number } | undefined
}

export function createFailureLog(): FailureLog {
  const known = createBudget()
  const unknown = createBudget()
  return { admit: ({ accountId, at }) => (accountId === null ? unknown : known)(at) }
}

function createBudget(): (at: number) => { readonly unwritten: number } | undefined {
  let minute = 0
  let written = 0
  let unwritten = 0
  return (at) => {
    const current = Math.floor(at / MINUTE)
    if (current !== minute) written = 0
    minute = current
    if (written === LINES) {
      unwritten++
      return undefined
    }
    written++
    const line = { unwritten }
    unwritten = 0
    return line
  }
}
