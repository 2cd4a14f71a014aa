import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { httpRequest, once } from '../sessions/http-client.mjs'
import { someAddress } from '../sessions/workloads.mjs'

/** Of a hundred acts with a session: what else than renewing and looking happens. */
const LOST_ANSWERS = 5
const LOGOUTS = 4
const THEFTS = 2
const ABANDONED = 3
const WRONG_PASSWORDS = 10
/** How often what was answered with 503 is sent again. */
const PATIENCE = 30

/**
 * One device that logs in when it has no session, and otherwise renews, looks, retries after a lost answer, logs out, forgets its
 * session, or is robbed: an old refresh token of its comes back, and must end the session. Throws when an honest act is refused.
 */
export function createDevice({ port, email, password, count }) {
  let session
  const call = async (method, path, { headers = {}, body } = {}) => {
    const request = httpRequest({ method, path, headers, body })
    let { status, answer } = await once({ port, request })
    for (let again = 0; status === 503 && again < PATIENCE; again++) {
      count('503, and the same request again')
      await sleep(1000)
      ;({ status, answer } = await once({ port, request }))
    }
    const json = answer.slice(answer.indexOf('\r\n\r\n') + 4)
    return { status, json: json === '' ? {} : JSON.parse(json) }
  }
  const bearer = () => ({ authorization: `Bearer ${session.access}` })

  return {
    async act() {
      if (!session) return logIn()
      const dice = Math.random() * 100
      if (dice < LOGOUTS) return logOut()
      if (dice < LOGOUTS + THEFTS && session.old.length >= 2) return beRobbed()
      if (dice < LOGOUTS + THEFTS + ABANDONED) {
        count('abandoned')
        session = undefined
        return undefined
      }
      return dice < 60 ? renew(dice % 10 < LOST_ANSWERS / 5) : look()
    },
  }

  async function logIn() {
    const isWrong = Math.random() * 100 < WRONG_PASSWORDS
    const headers = { 'x-forwarded-for': someAddress() }
    const body = { email, password: isWrong ? 'not that one' : password }
    const { status, json } = await call('POST', '/auth/login', { headers, body })
    if (status === 429) return count('login to be tried again later')
    expect(isWrong ? 'wrong password' : 'login', status, isWrong ? 401 : 200)
    if (isWrong) return undefined
    session = { access: json.access_token, refresh: json.refresh_token, old: [] }
    return undefined
  }

  async function renew(answerIsLost) {
    const request = {
      headers: { ...bearer(), 'idempotency-key': randomBytes(16).toString('base64url') },
      body: { refresh_token: session.refresh },
    }
    const first = await call('POST', '/auth/refresh', request)
    expect('refresh', first.status, 200)
    const { status, json } = answerIsLost ? await call('POST', '/auth/refresh', request) : first
    if (answerIsLost) expect('retry', status, 200)
    session = {
      access: json.access_token,
      refresh: json.refresh_token,
      old: [...session.old, session.refresh].slice(-3),
    }
  }

  async function look() {
    const { status } = await call('GET', '/auth/me', { headers: bearer() })
    expect('me', status, 200)
  }

  async function logOut() {
    const { status } = await call('POST', '/auth/logout', {
      headers: bearer(),
      body: { refresh_token: session.refresh },
    })
    expect('logout', status, 204)
    session = undefined
  }

  async function beRobbed() {
    const theft = await call('POST', '/auth/refresh', {
      headers: bearer(),
      body: { refresh_token: session.old[0] },
    })
    expect('theft', theft.status, 401)
    const { status } = await call('GET', '/auth/me', { headers: bearer() })
    expect('me after theft', status, 401)
    session = undefined
  }

  function expect(act, status, wanted) {
    if (status !== wanted) throw new Error(`${act} was answered with ${status} instead of ${wanted}`)
    count(act)
  }
}
