import { AuthError } from './auth-error.ts'
import { StoreError } from './store/store-error.ts'

/**
 * Does `work`, which gives an identifier to an account, and refuses with `identifier_taken` (409) when somebody has it. The
 * unique index decides: of 50 registrations at once, one gets the identifier.
 */
export async function refusingTaken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    if (thrown instanceof StoreError && thrown.code === 'duplicate') throw new AuthError('identifier_taken')
    throw thrown
  }
}
