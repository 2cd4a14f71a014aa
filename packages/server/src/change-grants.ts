import { parseList } from './access-token.ts'
import type { Admin } from './actor.ts'
import { record } from './audit.ts'
import type { Context } from './context.ts'
import { common, type Grants, isNothing, joined, readGrants, without } from './grants.ts'
import { revoke } from './revocation.ts'
import { lockAccount, writeGrants } from './store/accounts.ts'
import { inTransaction } from './store/open-store.ts'

export interface GrantChange extends Partial<Grants> {
  /** Of the account. */
  readonly id: string
}

/**
 * Adds roles and scopes to an account; its next access tokens carry them. Returns what it has from now on, or
 * undefined when there is no such account. Refuses as `readGrants` does.
 */
export function grant(ctx: Context, change: GrantChange, admin: Admin): Promise<Grants | undefined> {
  const added = readGrants(change)
  return changeGrants(ctx, { accountId: change.id, admin }, (held) => ({
    type: 'account.granted',
    grants: joined(held, added),
    changed: without(added, held),
  }))
}

/**
 * Takes roles and scopes from an account. In the same transaction its epoch rises and is revoked: access
 * tokens that still carry them are refused, the next renewal brings one without, and nobody is logged out.
 * Returns what is left, or undefined when there is no such account.
 */
export function withdraw(ctx: Context, change: GrantChange, admin: Admin): Promise<Grants | undefined> {
  const { roles = [], scopes = [] } = change
  const taken = { roles: roles.map((role) => role.normalize('NFC')), scopes }
  return changeGrants(ctx, { accountId: change.id, admin }, (held) => ({
    type: 'account.grants_withdrawn',
    grants: without(held, taken),
    changed: common(held, taken),
  }))
}

interface Change {
  readonly type: 'account.granted' | 'account.grants_withdrawn'
  readonly grants: Grants
  /** What of it is new; nothing is written for nothing. */
  readonly changed: Grants
}

async function changeGrants(
  ctx: Context,
  { accountId, admin }: { accountId: string; admin: Admin },
  decide: (held: Grants) => Change,
): Promise<Grants | undefined> {
  const now = ctx.clock()
  const outcome = await inTransaction(ctx.store, async (db) => {
    const account = await lockAccount(db, accountId)
    if (!account) return undefined
    const { type, grants, changed } = decide({
      roles: parseList(account.roles),
      scopes: parseList(account.scopes),
    })
    if (isNothing(changed)) return { grants }

    const raise = type === 'account.grants_withdrawn'
    const [roles, scopes] = [JSON.stringify(grants.roles), JSON.stringify(grants.scopes)]
    const epoch = await writeGrants(db, { id: accountId, roles, scopes, raise, now })
    const event = { type, at: now, accountId, detail: { ...changed } }
    await record(db, event, admin)
    if (raise) await revoke(ctx, db, [{ accountId, epoch }])
    return { grants, event }
  })
  if (outcome?.event) ctx.emit(outcome.event)
  return outcome?.grants
}
