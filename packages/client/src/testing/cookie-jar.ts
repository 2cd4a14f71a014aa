/** A browser's cookies of one host, for tests without a browser. */
export interface CookieJar {
  /** Puts the cookies in, with what a browser says of the page, and takes those of the answer. */
  fetch(request: Request): Promise<Response>
  /** What is kept, by name. */
  readonly cookies: ReadonlyMap<string, string>
}

/** `pageOrigin`: the page that the requests come from. A cookie is kept when its answer comes, whether or not anybody reads it. */
export function cookieJar(
  server: (request: Request) => Promise<Response>,
  { pageOrigin }: { readonly pageOrigin: string },
): CookieJar {
  const cookies = new Map<string, string>()
  return {
    cookies,
    fetch: async (request) => {
      const isOwn = new URL(request.url).origin === pageOrigin
      const headers = new Headers(request.headers)
      headers.set('origin', pageOrigin)
      headers.set('sec-fetch-site', isOwn ? 'same-origin' : 'same-site')
      const isSent = isOwn ? request.credentials !== 'omit' : request.credentials === 'include'
      if (isSent && cookies.size > 0) headers.set('cookie', fieldOf(cookies))
      const response = await server(new Request(request, { headers }))
      if (isSent) for (const cookie of response.headers.getSetCookie()) take(cookies, cookie)
      return response
    },
  }
}

function fieldOf(cookies: ReadonlyMap<string, string>): string {
  return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
}

function take(cookies: Map<string, string>, cookie: string): void {
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
  if (/;\s*max-age=0/i.test(cookie)) cookies.delete(name)
  else cookies.set(name, value)
}
