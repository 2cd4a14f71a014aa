#!/usr/bin/env node
import { run } from './run.ts'

// A reader that has seen enough (`mapae users list | head`) is no failure.
process.stdout.on('error', (error) => {
  if (Reflect.get(error, 'code') === 'EPIPE') process.exit()
  throw error
})

process.exitCode = await run(process.argv.slice(2))
