// The founding document's fourteen steps (M3), against a running Mapae: each step with its real request and answer.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const byCookie = process.argv.includes('--cookie')
const own = process.argv.includes('--own-server') ? await startOwnServer() : undefined
const url = own?.url ?? process.env.MAPAE_URL ?? 'http://localhost:4000'
try {
  await walk()
} finally {
  await own?.stop()
}

async function walk() {
  const email = `walker-${Date.now()}@example.com`
  const password = 'correct horse battery'
  /** @type {Record<string, string>} */
  const browser = byCookie ? { 'sec-fetch-site': 'same-origin' } : {}
  /** @type {Record<string, string>} */
  const jar = {}
  const cookies = () =>
    Object.entries(jar)
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
  await send('POST', '/auth/register', { body: { email, password, transport: 'header' }, quiet: true })

  step('1–2', '로그인 · the person logs in; the server compares with the member database')
  const login = await send('POST', '/auth/login', { body: { email, password }, headers: browser })
  step('3–4', '두 토큰 발급 · both tokens are issued; the refresh token is recorded beside the user')
  step('5', '안전한 저장 · the client keeps them, and sends the access token')
  if (byCookie)
    for (const set of login.cookies)
      jar[set.slice(0, set.indexOf('='))] = set.slice(set.indexOf('=') + 1).split(';')[0] ?? ''
  let { access_token: access, refresh_token: refresh } = login.body
  const credentials = () =>
    byCookie ? { ...browser, cookie: cookies() } : { authorization: `Bearer ${access}` }
  step('6–7', '검증과 응답 · the server verifies it and answers with the user')
  await send('GET', '/auth/me', { headers: credentials() })

  if (login.body.expires_in > 30) {
    console.log(
      `\nThese tokens live ${login.body.expires_in} s. Run this with --own-server, or the server with --access-lifetime 3.`,
    )
    return
  }
  step('8', `만료 · ${login.body.expires_in} seconds pass, and the access token expires`)
  await sleep(login.body.expires_in * 1000 + 1000)
  if (!byCookie) {
    const { exp } = JSON.parse(Buffer.from(access.split('.')[1], 'base64url').toString())
    console.log(
      `     The client could know: exp ${exp} is past, and skip 9–11. It need not: a token can expire on the way.`,
    )
  }
  step('9–11', '만료된 토큰 → 401 · it is sent all the same, and the server says that it has expired')
  await send('GET', '/auth/me', { headers: credentials() })
  step('12–13', '두 토큰을 함께 · both tokens go to the server, which proves both')
  const body = byCookie ? undefined : { refresh_token: refresh }
  const renewed = await send('POST', '/auth/refresh', { body, headers: credentials() })
  step('14', '새 토큰을 헤더에 · the new token comes in the Authorization header, and the request goes on')
  if (byCookie)
    for (const set of renewed.cookies)
      jar[set.slice(0, set.indexOf('='))] = set.slice(set.indexOf('=') + 1).split(';')[0] ?? ''
  access = renewed.authorization?.replace('Bearer ', '')
  refresh = renewed.body.refresh_token
  await send('GET', '/auth/me', { headers: credentials() })
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{ body?: unknown, headers?: Record<string, string>, quiet?: boolean }} request
 */
async function send(method, path, { body, headers = {}, quiet = false }) {
  const json = body === undefined ? {} : { 'content-type': 'application/json' }
  const sent = { ...json, ...headers }
  const response = await fetch(url + path, {
    method,
    headers: sent,
    body: body === undefined ? null : JSON.stringify(body),
  })
  const text = await response.text()
  if (!quiet) {
    console.log(`   → ${method} ${path}`)
    for (const [name, value] of Object.entries(sent)) console.log(`     ${name}: ${short(value)}`)
    if (body !== undefined)
      console.log(`     ${short(JSON.stringify(body).replace(/("password":")[^"]*/, '$1…'))}`)
    console.log(`   ← ${response.status}`)
    for (const name of ['authorization', 'set-cookie', 'www-authenticate']) {
      const value = response.headers.get(name)
      if (value) console.log(`     ${name}: ${short(value)}`)
    }
    console.log(`     ${short(text)}`)
  }
  if (response.status >= 500) throw new Error(`the server answered ${response.status}`)
  return {
    body: JSON.parse(text),
    authorization: response.headers.get('authorization'),
    cookies: response.headers.getSetCookie(),
  }
}

/** @param {string} numbers @param {string} title */
function step(numbers, title) {
  console.log(`\n${numbers.padEnd(5)}${title}`)
}

/** Tokens are shown by their ends. @param {string} text */
function short(text) {
  return text.replace(/(eyJ|mrt_)[\w.-]{24,}/g, (token) => `${token.slice(0, 12)}…${token.slice(-6)}`)
}

async function startOwnServer() {
  const data = await mkdtemp(join(tmpdir(), 'mapae-walk-'))
  const port = await freePort()
  const mapae = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url))
  const flags = ['--port', String(port), '--data', data, '--access-lifetime', '3']
  const server = spawn(process.execPath, [mapae, 'start', ...flags], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const url = `http://localhost:${port}`
  while (server.exitCode === null && !(await fetch(`${url}/readyz`).catch(() => undefined))?.ok)
    await sleep(50)
  if (server.exitCode !== null) throw new Error('the server did not start; run npm start once to build it')
  const stop = async () => {
    server.kill('SIGTERM')
    await new Promise((resolve) => server.once('exit', resolve))
    await rm(data, { recursive: true, force: true })
  }
  return { url, stop }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}
