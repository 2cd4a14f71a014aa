import { type Command, defineCommand } from '../command.ts'
import { makeAuth, telling } from '../open-auth.ts'
import { readSettings, storeFlags } from '../settings.ts'
import { missingFile } from '../with-auth.ts'

export const migrate: Command = defineCommand({
  name: 'migrate',
  summary: 'Create or update the tables; mapae start does so by itself',
  flags: { 'dry-run': { help: 'Name what would be done and do nothing' }, ...storeFlags },
  async work({ flags }, io) {
    const settings = readSettings(flags, io.environment)
    const isDry = flags['dry-run'] === true
    const missing = missingFile(settings)
    if (isDry && missing !== undefined) {
      io.stdout.write(`There is no database ${missing} yet: it would be made, with all tables.\n`)
      return 0
    }
    const auth = await makeAuth(settings, io, 'nothing')
    try {
      const steps = await telling(settings, () => (isDry ? auth.api.pendingMigrations() : auth.api.migrate()))
      for (const step of steps) io.stdout.write(`${isDry ? 'would do' : 'done'}: ${step}\n`)
      if (steps.length === 0) io.stdout.write('The database is up to date.\n')
      return 0
    } finally {
      await auth.close()
    }
  },
})
