import { createGuard, type Guard, type GuardOptions, type GuardRequest } from '@mapae/guard'
import type { Auth } from '@mapae/server'
import { onTestFinished } from 'vitest'
import { type Answer, type TestAuth, URL_OF_AUTH } from './start-auth.ts'

/** A guard of another process, as it would be: it reaches the server by requests alone. */
export function guardOf(server: TestAuth, options: Partial<GuardOptions> = {}): Guard {
  const guard = createGuard({
    issuer: URL_OF_AUTH,
    fetch: fetchOf(server.auth),
    clock: server.clock.now,
    revocations: true,
    ...options,
  })
  onTestFinished(() => guard.close())
  return guard
}

export function fetchOf(auth: Auth): typeof globalThis.fetch {
  return (url, init) => auth.fetch(new Request(url, init))
}

export const bearer = (token: string): GuardRequest => ({
  method: 'GET',
  url: '/',
  header: (name) => (name === 'authorization' ? `Bearer ${token}` : undefined),
})

/** What the guard says of the access token of an answer. */
export async function judged(guard: Guard, answer: Answer): Promise<string> {
  const admission = await guard.check(bearer(answer.json.access_token))
  return admission.type === 'admitted' ? 'admitted' : `${admission.status} ${admission.body.code}`
}
