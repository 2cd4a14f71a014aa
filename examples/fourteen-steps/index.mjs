// The founding document's fourteen steps, walked for real: each with its request and its answer, as they went over the wire.
import { setTimeout as sleep } from 'node:timers/promises'
import { readOptions } from './options.mjs'
import { startOwnServer } from './own-server.mjs'
import { createPrinter } from './printer.mjs'
import { createTraveller } from './traveller.mjs'
import { words } from './words.mjs'

process.stdout.on('error', () => {}) // whoever reads may stop (`| head`); our server is to be stopped all the same
const { url, byCookie, language } = readOptions()
const say = words[language]
const own = url === undefined ? await startOwnServer() : undefined
try {
  await walk(own?.url ?? url ?? '')
} catch (error) {
  // What fetch throws for a server that is not there is no mistake of this program.
  if (!(error instanceof TypeError) || error.message !== 'fetch failed') throw error
  console.error(say.nobody(own?.url ?? url ?? ''))
  process.exitCode = 1
} finally {
  await own?.stop()
}

/** @param {string} server */
async function walk(server) {
  const print = createPrinter()
  const client = createTraveller({ server, byCookie, print })
  const person = { email: `walker-${Date.now()}@example.com`, password: 'correct horse battery' }
  print.title(say.title, `${server} · ${byCookie ? say.byCookie : say.byHeader}`)
  await client.register(person)

  print.step('1', say.logsIn)
  const login = client.send('POST', '/auth/login', { body: person })
  print.step('2', say.compares)
  print.step('3–4', say.issues)
  const { expires_in } = await login.answer()
  print.token(client.accessToken(), say.readable)

  print.step('5', say.keeps)
  const call = client.send('GET', '/auth/me')
  print.step('6–7', say.verifies)
  await call.answer()

  print.step('8', say.expires(expires_in))
  if (expires_in > 60) {
    print.note(say.tooLong(expires_in))
    return
  }
  await print.countdown(expires_in + 1, sleep)
  print.note(say.couldKnow)

  print.step('9', say.sendsAllTheSame)
  const late = client.send('GET', '/auth/me')
  print.step('10–11', say.seesItExpired)
  await late.answer()

  print.step('12', say.sendsBoth)
  const renewal = client.renew()
  print.step('13', say.provesBoth)
  await renewal.answer()

  print.step('14', byCookie ? say.goesOnByCookie : say.goesOn)
  await client.send('GET', '/auth/me').answer()
  print.end(say.end)
}
