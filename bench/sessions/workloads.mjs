import { randomBytes } from 'node:crypto'
import { httpRequest } from './http-client.mjs'
import { PASSWORD } from './seed.mjs'

/**
 * The clients of a load, one for each connection. Each has its share of the sessions to itself, goes through them in turn and
 * keeps what it is answered, as the device of a session does; so no renewal meets another of the same session.
 */
export const workloads = { refresh, me, login }

/** POST /auth/refresh with both tokens, and an attempt id for each rotation. */
function refresh(used, connections) {
  return shares(used, connections).map((share) => {
    const next = cycle(share)
    let session
    return {
      request() {
        session = next()
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

/** GET /auth/me with tokens that were seen before: each connection asks for `perConnection` sessions in turn. */
function me(used, connections, { perConnection = 8 } = {}) {
  return shares(used, connections).map((share) => {
    const next = cycle(share.slice(0, perConnection))
    return {
      request() {
        const { accessToken } = next()
        return httpRequest({ path: '/auth/me', headers: { authorization: `Bearer ${accessToken}` } })
      },
      answered() {},
    }
  })
}

/** POST /auth/login by e-mail address and password. */
function login(used, connections) {
  return shares(used, connections).map((share) => {
    const next = cycle(share)
    return {
      request: () =>
        httpRequest({ method: 'POST', path: '/auth/login', body: { email: next().email, password: PASSWORD } }),
      answered() {},
    }
  })
}

function shares(list, connections) {
  return Array.from({ length: connections }, (_, at) => list.filter((_, index) => index % connections === at))
}

function cycle(list) {
  let at = 0
  return () => list[at++ % list.length]
}

/** Unguessable at its beginning and different each time: what makes it is not what is measured. */
const attemptIds = randomBytes(12).toString('base64url')
let attempts = 0
const attemptId = () => `${attemptIds}${String(attempts++).padStart(12, '0')}`

/** A text member of a JSON answer. */
export function member(answer, name) {
  const start = answer.indexOf(`"${name}":"`) + name.length + 4
  return answer.slice(start, answer.indexOf('"', start))
}
