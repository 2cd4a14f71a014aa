import type { Command } from './command.ts'
import { keysList } from './commands/keys-list.ts'
import { keysRotate } from './commands/keys-rotate.ts'
import { migrate } from './commands/migrate.ts'
import { start } from './commands/start.ts'
import { tokenDecode } from './commands/token-decode.ts'
import { tokenLint } from './commands/token-lint.ts'
import { tokenSign } from './commands/token-sign.ts'
import { tokenVerify } from './commands/token-verify.ts'
import { usersAdd } from './commands/users-add.ts'
import { usersDisable } from './commands/users-disable.ts'
import { usersList } from './commands/users-list.ts'

/** The table of contents: everything that can be asked of `mapae`. */
export const commands: readonly Command[] = [
  start,
  tokenDecode,
  tokenVerify,
  tokenSign,
  tokenLint,
  usersAdd,
  usersList,
  usersDisable,
  keysList,
  keysRotate,
  migrate,
]
