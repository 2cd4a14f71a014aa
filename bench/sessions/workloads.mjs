import { randomBytes } from 'node:crypto'
import { httpRequest } from './http-client.mjs'
import { PASSWORD } from './seed.mjs'

// The clients of a load, one for each connection. Each has its share of the sessions to itself, goes through them in turn and keeps
// what it is answered, as the device of a session does; so no renewal meets another of the same session.

/** POST /auth/refresh with both tokens, and an attempt id for each rotation; each session `times` times at most. */
export function refresh(sessions, connections, { times = Number.POSITIVE_INFINITY } = {}) {
  return shares(sessions, connections).map((share) => {
    const next = cycle(share, times)
    let session
    return {
      request() {
        session = next()
        if (session === undefined) return undefined
        return httpRequest({
          method: 'POST',
          path: '/auth/refresh',
          headers: { authorization: `Bearer ${session.accessToken}`, 'idempotency-key': attemptId() },
          body: `{"refresh_token":"${session.refreshToken}"}`,
        })
      },
      answered(status, answer) {
        if (status !== 200) return
        session.accessToken = member(answer, 'access_token')
        session.refreshToken = member(answer, 'refresh_token')
      },
    }
  })
}

/** GET /auth/me for 2,048 sessions in turn, each `times` times at most. `field` may name the session without a token. */
export function me(
  sessions,
  connections,
  {
    field = ({ accessToken }) => ({ authorization: `Bearer ${accessToken}` }),
    times = Number.POSITIVE_INFINITY,
  } = {},
) {
  return shares(sessions.slice(0, 2048), connections).map((share) => {
    const requests = share.map((session) => httpRequest({ path: '/auth/me', headers: field(session) }))
    const next = cycle(requests, times)
    return { request: next, answered() {} }
  })
}

/** POST /auth/login by e-mail address and password, each from another address, as a proxy would tell. */
export function login(sessions, connections) {
  return shares(sessions, connections).map((share) => {
    const next = cycle(share)
    return {
      request: () =>
        httpRequest({
          method: 'POST',
          path: '/auth/login',
          headers: { 'x-forwarded-for': someAddress() },
          body: { email: next().email, password: PASSWORD },
        }),
      answered() {},
    }
  })
}

/** oidc-provider's refresh grant. */
export function grant(sessions, connections) {
  return shares(sessions, connections).map((share) => {
    const next = cycle(share)
    let session
    return {
      request() {
        session = next()
        return httpRequest({
          method: 'POST',
          path: '/token',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: `client_id=app&grant_type=refresh_token&refresh_token=${session.refreshToken}`,
        })
      },
      answered(status, answer) {
        if (status === 200) session.refreshToken = member(answer, 'refresh_token')
      },
    }
  })
}

/** One of better-auth's addresses, by the cookies of sessions. */
export function withCookies(path, people, connections) {
  return shares(people, connections, { shared: true }).map((share) => {
    const next = cycle(share.map(({ cookie }) => httpRequest({ path, headers: { cookie } })))
    return { request: next, answered() {} }
  })
}

/** better-auth's sign-in. */
export function signIn(people, connections) {
  return shares(people, connections, { shared: true }).map((share) => {
    const next = cycle(share)
    return {
      request: () =>
        httpRequest({
          method: 'POST',
          path: '/api/auth/sign-in/email',
          headers: { origin: 'http://localhost' },
          body: { email: next().email, password: PASSWORD },
        }),
      answered() {},
    }
  })
}

/** The same request again and again. */
export function constant(request, connections) {
  return Array.from({ length: connections }, () => ({ request: () => request, answered() {} }))
}

/** A part of the list for each connection; `shared` where there may be fewer than connections. */
function shares(list, connections, { shared = false } = {}) {
  return Array.from({ length: connections }, (_, at) =>
    shared && list.length < connections
      ? [list[at % list.length]]
      : list.filter((_, index) => index % connections === at),
  )
}

function cycle(list, times = Number.POSITIVE_INFINITY) {
  let at = 0
  return () => (at < list.length * times ? list[at++ % list.length] : undefined)
}

/** Unguessable at its beginning and different each time: what makes it is not what is measured. */
const attemptIds = randomBytes(12).toString('base64url')
let attempts = 0
const attemptId = () => `${attemptIds}${String(attempts++).padStart(12, '0')}`

let addresses = 0
/** Another address each time, of 16 million. */
export function someAddress() {
  const n = addresses++
  return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
}

/** A text member of a JSON answer. */
function member(answer, name) {
  const start = answer.indexOf(`"${name}":"`) + name.length + 4
  return answer.slice(start, answer.indexOf('"', start))
}
