import { type Device, startDevice } from '../../../test-support/device.ts'
import {
  type Answer,
  type CallOptions,
  PASSWORD,
  someEmail,
  type TestAuth,
  URL_OF_AUTH,
} from './start-auth.ts'

export interface BoundCallOptions extends CallOptions {
  /** Over the headers that are right, such as `{ dpop: '…' }`. */
  readonly headers?: Readonly<Record<string, string>>
}

type Server = Pick<TestAuth, 'call' | 'clock'>
type Pair = { readonly access_token: string; readonly refresh_token: string }

/**
 * A client with a key, by header delivery. It makes a proof for every request (`token` goes as `Authorization: DPoP`), keeps
 * the newest nonce, and tries once more with it when the server asks it to.
 */
export async function startBoundClient(
  server: Server,
  { device, clock = server.clock.now }: { device?: Device; clock?: () => number } = {},
) {
  const its = device ?? (await startDevice())
  let nonce: string | undefined

  const once = async (method: string, path: string, options: BoundCallOptions): Promise<Answer> => {
    const { token, headers, ...rest } = options
    const dpop = await its.proof({ method, url: URL_OF_AUTH + path, now: clock(), token, nonce })
    const authorization = token === undefined ? {} : { authorization: `DPoP ${token}` }
    const answer = await server.call(method, path, {
      ...rest,
      headers: { ...authorization, dpop, ...headers },
    })
    nonce = answer.headers.get('dpop-nonce') ?? nonce
    return answer
  }
  const call = async (method: string, path: string, options: BoundCallOptions = {}): Promise<Answer> => {
    const answer = await once(method, path, options)
    return answer.json.code === 'use_dpop_nonce' ? once(method, path, options) : answer
  }
  return {
    device: its,
    call,
    /** The same request once, with whatever nonce the client has. */
    once,
    nonce: () => nonce,
    register: (body: Readonly<Record<string, unknown>> = {}) =>
      call('POST', '/auth/register', { body: { email: someEmail(), password: PASSWORD, ...body } }),
    login: (body: Readonly<Record<string, unknown>>) =>
      call('POST', '/auth/login', { body: { password: PASSWORD, ...body } }),
    refresh: ({ access_token, refresh_token }: Pair, options: BoundCallOptions = {}) =>
      call('POST', '/auth/refresh', { token: access_token, body: { refresh_token }, ...options }),
    me: (token: string) => call('GET', '/auth/me', { token }),
  }
}

export type BoundClient = Awaited<ReturnType<typeof startBoundClient>>
