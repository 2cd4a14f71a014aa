import type { Settings } from './options.ts'

/** As a bearer token (RFC 6750 §2.1), where there is one. */
export function sendAsBearer(
  { fetch }: Settings,
  url: string,
  init: RequestInit,
  access: string | undefined,
): Promise<Response> {
  if (access === undefined) return fetch(url, init)
  const headers = new Headers(init.headers)
  headers.set('authorization', `Bearer ${access}`)
  return fetch(url, { ...init, headers })
}
