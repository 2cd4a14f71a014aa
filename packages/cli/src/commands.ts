import type { Command } from './command.ts'
import { auditExport } from './commands/audit-export.ts'
import { doctor } from './commands/doctor.ts'
import { keysList } from './commands/keys-list.ts'
import { keysRotate } from './commands/keys-rotate.ts'
import { keysWithdraw } from './commands/keys-withdraw.ts'
import { migrate } from './commands/migrate.ts'
import { sessionsEnd } from './commands/sessions-end.ts'
import { sessionsList } from './commands/sessions-list.ts'
import { sessionsShow } from './commands/sessions-show.ts'
import { start } from './commands/start.ts'
import { tokenDecode } from './commands/token-decode.ts'
import { tokenLint } from './commands/token-lint.ts'
import { tokenSign } from './commands/token-sign.ts'
import { tokenVerify } from './commands/token-verify.ts'
import { usersAdd } from './commands/users-add.ts'
import { usersDelete } from './commands/users-delete.ts'
import { usersDisable } from './commands/users-disable.ts'
import { usersEnable } from './commands/users-enable.ts'
import { usersGrant } from './commands/users-grant.ts'
import { usersImport } from './commands/users-import.ts'
import { usersList } from './commands/users-list.ts'
import { usersShow } from './commands/users-show.ts'
import { usersUnlock } from './commands/users-unlock.ts'
import { usersWithdraw } from './commands/users-withdraw.ts'

/** The table of contents: everything that can be asked of `mapae`. */
export const commands: readonly Command[] = [
  start,
  tokenDecode,
  tokenVerify,
  tokenSign,
  tokenLint,
  usersAdd,
  usersList,
  usersShow,
  usersGrant,
  usersWithdraw,
  usersDisable,
  usersEnable,
  usersUnlock,
  usersDelete,
  usersImport,
  sessionsList,
  sessionsShow,
  sessionsEnd,
  auditExport,
  keysList,
  keysRotate,
  keysWithdraw,
  migrate,
  doctor,
]
