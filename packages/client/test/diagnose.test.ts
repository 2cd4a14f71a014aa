import { describe, expect, it } from 'vitest'
import { startWorld, URL_OF_AUTH } from './start-world.ts'

const APP = 'https://app.example.com'

/** What a browser does with an answer that CORS keeps from the page: `fetch` rejects, unless the mode is `no-cors`. */
async function startPage(pageOrigin: string, allowedOrigins: readonly string[] = []) {
  const { device, auth } = await startWorld({ allowedOrigins })
  const { client } = device({
    server: async (request) => {
      const headers = new Headers(request.headers)
      headers.set('origin', pageOrigin)
      const response = await auth.fetch(new Request(request, { headers }))
      const isKept = request.mode !== 'no-cors' && pageOrigin !== URL_OF_AUTH
      if (isKept && response.headers.get('access-control-allow-origin') !== pageOrigin)
        throw new TypeError('Failed to fetch')
      return response
    },
  })
  return {
    client,
    codes: async (options = {}) => codesOf(await client({ pageOrigin, ...options }).diagnose()),
  }
}

const codesOf = (findings: readonly { readonly code: string }[]): readonly string[] =>
  findings.map(({ code }) => code)

describe('client.diagnose', () => {
  it.each([
    ['a page of the auth server itself', URL_OF_AUTH, []],
    ['a page of an allowed origin of the same site', APP, [APP]],
  ])('finds nothing wrong with %s', async (_, page, allowed) => {
    const { codes } = await startPage(page, allowed)
    expect(await codes()).toEqual([])
  })

  it('finds an origin that is not allowed', async () => {
    const { codes } = await startPage(APP, ['https://app.example.com:8443'])
    expect(await codes()).toEqual(['origin_not_allowed'])
  })

  it('finds cookies that would have to cross sites', async () => {
    const { codes } = await startPage('https://app.example.org', ['https://app.example.org'])
    expect(await codes()).toEqual(['cross_site_cookies'])
    expect(await codes({ delivery: 'header' })).toEqual([])
  })

  it('finds a page on https before a server that is not', async () => {
    const { client } = await startPage(APP, [APP])
    const page = client({
      url: 'http://auth.example.com',
      pageOrigin: APP,
      dangerouslyAllowHttp: true,
      fetch: async () => Promise.reject(new TypeError('Failed to fetch')),
    })
    expect(codesOf(await page.diagnose())).toEqual(['mixed_content', 'server_away'])
  })

  it('finds a server that is not Mapae, and sessions that are not bound', async () => {
    const { client } = await startPage(APP, [APP])
    const elsewhere = client({
      delivery: 'header',
      dangerouslyUnbound: true,
      fetch: async () => new Response('hello'),
    })
    expect(codesOf(await elsewhere.diagnose())).toEqual(['not_bound', 'not_an_auth_server'])
  })
})
