import type { AccountOverview, Auth } from '@mapae/server'
import { CommandError } from './command-error.ts'
import { printable } from './printable.ts'

/** The account that somebody means by its id, e-mail address or username. */
export async function requireUser(api: Auth['api'], named: string): Promise<AccountOverview> {
  const user = await api.findUser(named)
  if (!user) throw new CommandError(`There is no account "${printable(named)}".`)
  return user
}

/** How every command on one account is told which. */
export const ONE_USER: { readonly usage: string; readonly least: number; readonly most: number } = {
  usage: 'ID|EMAIL|USERNAME',
  least: 1,
  most: 1,
}
