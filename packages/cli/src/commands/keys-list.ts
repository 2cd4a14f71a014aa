import { columns } from '../columns.ts'
import { type Command, defineCommand } from '../command.ts'
import { keyRow } from '../key-row.ts'
import { jsonLines } from '../printable.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

export const keysList: Command = defineCommand({
  name: 'keys list',
  summary: 'List the signing keys',
  flags: { json: { help: 'Print JSON, an array; moments are milliseconds' }, ...storeFlags },
  notes: [
    'next: published, will sign later. active: signs now. retired: verifies only. withdrawn: proves nothing.',
  ],
  async work({ flags }, io) {
    const keys = await withExistingAuth(flags, io, ({ api }) => api.listKeys())
    if (flags.json) io.stdout.write(jsonLines(keys))
    else if (keys.length === 0) io.stdout.write('There are no keys yet: the first login makes one.\n')
    else for (const line of columns(keys.map((key) => keyRow(key, io.clock())))) io.stdout.write(`${line}\n`)
    return 0
  },
})
