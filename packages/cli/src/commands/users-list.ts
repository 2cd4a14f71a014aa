import type { Auth } from '@mapae/server'
import { columns } from '../columns.ts'
import { type Command, defineCommand } from '../command.ts'
import type { Output } from '../io.ts'
import { localTime } from '../moments.ts'
import { printable, printableJson } from '../printable.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

type ListedUser = Awaited<ReturnType<Auth['api']['listUsers']>>[number]

export const usersList: Command = defineCommand({
  name: 'users list',
  summary: 'List the accounts',
  flags: { json: { help: 'Print JSON, an array' }, ...storeFlags },
  async work({ flags }, io) {
    const print = ({ api }: Auth) => {
      const users = everyPage(api, io.stdout)
      return flags.json ? printJson(users, io.stdout) : printTable(users, io.stdout)
    }
    await withExistingAuth(flags, io, print)
    return 0
  },
})

/** Every page, as long as somebody reads them. */
async function* everyPage(api: Auth['api'], stdout: Output): AsyncGenerator<readonly ListedUser[]> {
  for (let after = ''; stdout.writable !== false; ) {
    const page = await api.listUsers({ after })
    const last = page.at(-1)
    if (!last) return
    yield page
    after = last.id
  }
}

async function printJson(pages: AsyncIterable<readonly ListedUser[]>, stdout: Output): Promise<void> {
  let before = '[\n'
  for await (const page of pages) {
    stdout.write(before + page.map((user) => `  ${printableJson(user)}`).join(',\n'))
    before = ',\n'
  }
  stdout.write(before === '[\n' ? '[]\n' : '\n]\n')
}

async function printTable(pages: AsyncIterable<readonly ListedUser[]>, stdout: Output): Promise<void> {
  let isEmpty = true
  for await (const page of pages) {
    isEmpty = false
    for (const line of columns(page.map(rowOf))) stdout.write(`${line}\n`)
  }
  if (isEmpty) stdout.write('There are no accounts yet.\n')
}

function rowOf(user: ListedUser): string[] {
  const identifiers = [user.email, user.username].filter((one) => one !== null).join(' ')
  const grants = [...user.roles, ...user.scopes].join(' ')
  const disabled = user.disabled ? 'disabled' : ''
  const cells = [
    user.id,
    identifiers,
    user.name === null ? '' : JSON.stringify(user.name),
    `since ${localTime(user.created_at * 1000)}`,
    grants,
    disabled,
  ]
  return cells.map(printable)
}
