/**
 * The client of the walk: it keeps the tokens, by header or by cookie, and shows all that it sends and gets.
 * @param {{ server: string, byCookie: boolean, print: import('./printer.mjs').Printer }} given
 */
export function createTraveller({ server, byCookie, print }) {
  /** What a browser keeps. @type {Map<string, string>} */
  const cookies = new Map()
  /** What an app keeps in a safe place. @type {{ access?: string, refresh?: string }} */
  const kept = {}

  return { register, send, renew, accessToken: () => kept.access }

  /** Nothing of this is shown: the walk begins with the login. @param {{ email: string, password: string }} person */
  async function register(person) {
    const body = JSON.stringify({ ...person, transport: 'header' })
    const headers = { 'content-type': 'application/json' }
    const { status } = await fetch(`${server}/auth/register`, { method: 'POST', headers, body })
    if (status !== 201) throw new Error(`the registration was answered with ${status}`)
  }

  /** Step 12: both tokens go in. */
  function renew() {
    return send('POST', '/auth/refresh', byCookie ? {} : { body: { refresh_token: kept.refresh } })
  }

  /**
   * Sends a request and shows it; `answer` waits for the answer, shows it, and keeps the tokens that are in it.
   * @param {string} method
   * @param {string} path
   * @param {{ body?: Record<string, unknown> }} [request]
   */
  function send(method, path, { body } = {}) {
    const headers = { ...credentials(), ...(body && { 'content-type': 'application/json' }) }
    print.request({ method, path, headers, body })
    const response = fetch(server + path, { method, headers, body: body ? JSON.stringify(body) : null })
    return { answer: async () => receive(await response) }
  }

  /** @returns {Record<string, string>} */
  function credentials() {
    if (!byCookie) return kept.access === undefined ? {} : { authorization: `Bearer ${kept.access}` }
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    return { 'sec-fetch-site': 'same-origin', ...(cookie && { cookie }) } // a browser sets both by itself
  }

  /** @param {Response} response */
  async function receive(response) {
    const body = JSON.parse(await response.text())
    print.answer(response, body)
    if (response.status >= 500) throw new Error(`the server answered ${response.status}`)
    for (const field of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(field) ?? []
      cookies.set(name, value)
    }
    // Step 14: the new token comes in the header.
    kept.access =
      response.headers.get('authorization')?.replace('Bearer ', '') ?? body.access_token ?? kept.access
    kept.refresh = body.refresh_token ?? kept.refresh
    return body
  }
}
