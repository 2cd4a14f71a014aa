import { createClient, MapaeError, memoryStore } from '@mapae/client'

/**
 * @typedef {import('@mapae/client').Client} Client
 * @typedef {import('@mapae/client').ClientOptions} ClientOptions
 * @typedef {import('@mapae/client').Store} Store
 * @typedef {{ readonly step: string, readonly [fact: string]: unknown }} Line
 */

/**
 * The life of a session, told in lines that are the same wherever the client runs: this file is the one that every runtime runs.
 * `open` makes the store anew, as a restart does; without it the client chooses its own. The server is that of start-stage.ts.
 *
 * @param {{ readonly url: string, readonly name: string, readonly options?: Partial<ClientOptions>, readonly open?: () => Store }} where
 * @param {(line: Line) => void} say
 */
export async function tell({ url, name, options = {}, open }, say) {
  const { pass, lose, seen } = stageAt(url)
  const device = () => createClient({ url, ...options, ...(open && { store: open() }) })
  const me = `${url}/auth/me`
  const email = `${name}@example.com`

  const client = device()
  /** @type {string[]} */
  const reasons = []
  client.onChange((change) => change.type === 'logged_out' && reasons.push(change.reason))
  const call = async (one = client) => statusOf(await one.fetch(me))

  const registered = await client.register({ email, password: PASSWORD })
  const session = await client.session()
  say({ step: 'registered', type: registered.type, knows: session?.user.email === email })
  say({ step: 'bound', bound: session?.bound, proof: (await client.credential(me))?.proof !== undefined })
  const forms = [me, new URL(me), new Request(me)]
  say({ step: 'called', served: await Promise.all(forms.map((form) => client.fetch(form).then(statusOf))) })
  const { host } = new URL(url)
  const others = [
    `${url}@evil.example/`,
    '//evil.example/',
    `http://evil.example#@${host}`,
    `http:\\\\evil.example\\@${host}`,
  ]
  const problems = await Promise.all(others.map((other) => problemOf(client.fetch(other))))
  say({ step: 'kept from others', codes: problems.map(({ code }) => code) })

  await pass(LIFE, false)
  await seen('/auth/me')
  say({ step: 'expired unforeseen', status: await call(), ...(await seen('/auth/me')) })

  await pass(LIFE)
  await seen('/auth/refresh')
  say({ step: 'expired foreseen', status: await call(), ...(await seen('/auth/me')) })

  await pass(LIFE)
  await seen('/auth/refresh')
  const { signal } = new AbortController()
  const crowd = await Promise.all(
    Array.from({ length: 20 }, () => client.fetch(me, { signal }).then(statusOf)),
  )
  say({
    step: 'twenty at once',
    served: crowd.filter((status) => status === 200).length,
    ...(await seen('/auth/refresh')),
  })

  await pass(LIFE)
  await lose('/auth/refresh')
  say({ step: 'renewal lost', status: await call(), ...(await seen('/auth/refresh')) })
  await lose('/auth/me')
  await seen('/auth/me')
  // Some runtimes send a GET again by themselves, and so the same proof: the client makes another one.
  say({ step: 'answer lost', status: await call(), again: (await seen('/auth/me')).requests > 1 })

  for (const [kind, request] of Object.entries(bodies(me))) {
    await pass(LIFE, false)
    const response = await client.fetch(...request())
    const { user } = await response.json()
    say({ step: `body: ${kind}`, status: response.status, name: user?.name })
  }

  const again = device()
  say({ step: 'restarted', same: (await again.session())?.id === session?.id, status: await call(again) })
  await pass(LIFE)
  await seen('/auth/refresh')
  const both = await Promise.all([call(), call(again)])
  say({ step: 'two at once', both, tokens: (await seen('/auth/refresh')).tokens })
  again.close()

  const stop = new AbortController()
  const stopped = client.fetch(me, { signal: stop.signal })
  stop.abort()
  say({ step: 'given up', name: await stopped.then(statusOf, ({ name }) => name) })

  const stranger = createClient({ url, delivery: 'header', store: memoryStore() })
  say({
    step: 'wrong password',
    ...(await problemOf(stranger.login({ email, password: 'not the password' }))),
  })
  stranger.close()

  await client.changePassword({ current: PASSWORD, next: `${PASSWORD} 2` })
  say({ step: 'password changed', status: await call(), same: (await client.session())?.id === session?.id })
  say({ step: 'diagnosed', codes: (await client.diagnose()).map(({ code }) => code) })

  const other = createClient({ url, delivery: 'header', dangerouslyUnbound: true })
  await other.login({ email, password: `${PASSWORD} 2` })
  const listed = await other.sessions.list()
  say({ step: 'ended elsewhere', listed: listed.length, ended: await other.sessions.endOthers() })
  say({ step: 'session over', ...(await problemOf(call())), reasons: [...reasons] })
  await other.logout()
  other.close()

  await client.login({ email, password: `${PASSWORD} 2` })
  say({ step: 'logged in', status: await call() })
  await client.logout()
  say({ step: 'logged out', session: (await client.session()) ?? null, status: await call() })
  client.close()

  const away = createClient({ url: 'http://localhost:1', delivery: 'header' })
  say({ step: 'no server', ...(await problemOf(away.login({ email, password: PASSWORD }))) })
  away.close()
}

/** Seconds: the life of an access token on the stage. */
const LIFE = 300
const PASSWORD = 'correct horse battery'

/**
 * Bodies that have to be sent twice, each as this runtime has it.
 *
 * @param {string} url
 * @returns {Record<string, () => Parameters<Client['fetch']>>}
 */
function bodies(url) {
  const headers = { 'content-type': 'application/json' }
  const body = (/** @type {string} */ name) => JSON.stringify({ name })
  const stream = () => new Blob([body('stream')]).stream()
  return {
    text: () => [url, { method: 'PATCH', headers, body: body('text') }],
    Request: () => [new Request(url, { method: 'PATCH', headers, body: body('Request') })],
    ...(typeof ReadableStream !== 'undefined' && {
      stream: () => [url, { method: 'PATCH', headers, body: stream() }],
    }),
  }
}

/** @param {Response} response */
async function statusOf(response) {
  await response.text()
  return response.status
}

/**
 * What a piece of work fails with.
 *
 * @param {Promise<unknown>} work
 */
async function problemOf(work) {
  try {
    await work
    return { code: 'none' }
  } catch (error) {
    if (!(error instanceof MapaeError) || !(error instanceof Error)) throw error
    const { code, status = null, endReason = null } = error
    return { code, status, endReason }
  }
}

/**
 * What the server can be told to do: the addresses below `/stage/` of start-stage.ts.
 *
 * @param {string} url
 */
function stageAt(url) {
  const tellStage = async (/** @type {string} */ order) => (await fetch(`${url}/stage/${order}`)).json()
  return {
    /** Time passes for the server, and for this device unless `isSeen` says that its clock stands still. */
    pass: async (/** @type {number} */ seconds, isSeen = true) => {
      await tellStage(`pass?seconds=${seconds}`)
      if (isSeen) passHere(seconds)
    },
    /** The next answer from this path gets lost. */
    lose: (/** @type {string} */ path) => tellStage(`lose?path=${path}`),
    /** What came to this path since this was asked last: requests, how many were refused, different refresh tokens that went out. */
    seen: (/** @type {string} */ path) => tellStage(`seen?path=${path}`),
  }
}

/** @param {number} seconds */
function passHere(seconds) {
  const { now } = Date
  Date.now = () => now() + seconds * 1000
}
