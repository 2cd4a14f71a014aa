// npm run bench -- NAME [options]: runs bench/NAME/run.mjs.
import { existsSync, readdirSync } from 'node:fs'

const name = process.argv[2] ?? ''
const file = new URL(`./${name}/run.mjs`, import.meta.url)
if (!/^[\w-]+$/.test(name) || !existsSync(file)) {
  const names = readdirSync(new URL('.', import.meta.url), { withFileTypes: true }).filter((one) =>
    one.isDirectory(),
  )
  console.error(`Name a benchmark: ${names.map((one) => one.name).join(', ')}`)
  process.exit(1)
}
await import(file.href)
