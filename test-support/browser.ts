import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'
import { type Browser, chromium } from 'playwright-core'

/** Whether that browser runs here: npm has it for Linux on x64 alone. */
export const hasBrowser: boolean = process.platform === 'linux' && process.arch === 'x64'

/**
 * A real Chromium, headless, from npm: nothing but Node.js has to be on the machine. It keeps its web security, unlike the
 * default flags of its package; it is unpacked once, which takes some seconds.
 */
export async function startBrowser(): Promise<Browser> {
  const folder = await unpacked()
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    ignoreDefaultArgs: true,
    args: [
      '--headless=shell',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--remote-debugging-pipe',
    ],
    env: {
      ...process.env,
      LD_LIBRARY_PATH: join(folder, 'lib'),
      FONTCONFIG_PATH: folder,
      HOME: folder,
    },
  })
}

const root = fileURLToPath(new URL('..', import.meta.url))

/** The folder with Chromium and the libraries that a bare machine lacks. */
async function unpacked(): Promise<string> {
  const source = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '../../bin')
  const { version } = JSON.parse(await readFile(join(source, '../package.json'), 'utf8'))
  const folder = join(root, `.setup/chromium-${version}`)
  if (existsSync(folder)) return folder
  const making = `${folder}.${process.pid}`
  await mkdir(making, { recursive: true })
  const file = async (name: string): Promise<Buffer> => decompress(await readFile(join(source, name)))
  await writeFile(join(making, 'chromium'), await file('chromium.br'))
  await chmod(join(making, 'chromium'), 0o755)
  for (const archive of ['al2023.tar.br', 'fonts.tar.br'])
    for (const { name, bytes } of filesOfTar(await file(archive))) {
      await mkdir(dirname(join(making, name)), { recursive: true })
      await writeFile(join(making, name), bytes)
    }
  await writeFile(join(making, 'fonts.conf'), fontsIn(folder))
  // Another test process may have been faster.
  await rename(making, folder).catch(() => rm(making, { recursive: true }))
  return folder
}

/** What fontconfig reads: the fonts of the package alone, whatever the machine has. */
const fontsIn = (folder: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, 'fonts')}</dir>
  <cachedir>${join(folder, 'font-cache')}</cachedir>
</fontconfig>
`

const decompress = promisify(brotliDecompress)

/** The plain files of a tar archive (POSIX ustar). */
function filesOfTar(tar: Buffer): { readonly name: string; readonly bytes: Buffer }[] {
  const files: { name: string; bytes: Buffer }[] = []
  for (let at = 0; at + 512 <= tar.length; ) {
    const name = tar.toString('utf8', at, at + 100).replace(/\0.*$/s, '')
    if (name === '') break
    const size = Number.parseInt(tar.toString('utf8', at + 124, at + 136), 8)
    const isFile = '0\0'.includes(tar.toString('utf8', at + 156, at + 157))
    if (isFile) files.push({ name, bytes: tar.subarray(at + 512, at + 512 + size) })
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}
