// Ways to send requests with a token that is renewed, each as its own documentation shows it. `send` is what each calls for the network.
import { createClient } from '@mapae/client'
import axios from 'axios'
import { createAuthRefresh } from 'axios-auth-refresh'
import ky from 'ky'

/**
 * @typedef {object} World
 * @property {string} url the auth server's origin
 * @property {(input: Request | string | URL, init?: RequestInit) => Promise<Response>} send
 * @property {() => number} now the device's clock, in milliseconds
 *
 * @typedef {{ login(): Promise<void>, get(path: string): Promise<unknown> }} Contender
 */

/** @type {Record<string, (world: World) => Contender>} */
export const contenders = {
  'bare fetch': (world) => {
    const session = startSession(world)
    return {
      login: session.login,
      get: async (path) => {
        const response = await world.send(world.url + path, { headers: session.headers() })
        if (!response.ok) throw new Error(String(response.status))
        return response.json()
      },
    }
  },
  'mapae, bound': (world) => mapae(world, {}),
  'mapae, unbound': (world) => mapae(world, { dangerouslyUnbound: true }),
  ky: (world) => {
    const session = startSession(world)
    const api = ky.create({
      fetch: world.send,
      hooks: {
        beforeRequest: [
          ({ request }) => {
            request.headers.set('authorization', session.headers().authorization)
          },
        ],
        afterResponse: [
          async ({ request, response }) => {
            if (response.status !== 401) return response
            await session.refresh()
            const headers = new Headers(request.headers)
            headers.set('authorization', session.headers().authorization)
            return world.send(new Request(request, { headers }))
          },
        ],
      },
    })
    return { login: session.login, get: (path) => api.get(world.url + path).json() }
  },
  'axios + auth-refresh': (world) => {
    const session = startSession(world)
    const api = axios.create({ baseURL: world.url, adapter: 'fetch', env: { fetch: world.send } })
    api.interceptors.request.use((config) => {
      config.headers.set('authorization', session.headers().authorization)
      return config
    })
    createAuthRefresh(api, () => session.refresh())
    return { login: session.login, get: async (path) => (await api.get(path)).data }
  },
}

/** @param {World} world */
function mapae({ url, send, now }, options) {
  const began = now()
  const client = createClient({
    url,
    fetch: send,
    clock: {
      wall: now,
      monotonic: () => now() - began,
      sleep: (milliseconds, signal) =>
        new Promise((resolve) => {
          const timer = setTimeout(resolve, milliseconds)
          signal?.addEventListener('abort', () => resolve(clearTimeout(timer)))
        }),
    },
    ...options,
  })
  return {
    login: async () => void (await client.register(newPerson())),
    get: async (path) => {
      const response = await client.fetch(url + path)
      if (!response.ok) throw new Error(String(response.status))
      return response.json()
    },
  }
}

/**
 * What people write beside such a library: the tokens in variables, one renewal at a time, no attempt id.
 * @param {World} world
 */
function startSession({ url, send }) {
  let tokens = { access_token: '', refresh_token: '' }
  let underWay
  const post = async (path, body, headers = {}) => {
    const response = await send(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(String(response.status))
    tokens = await response.json()
  }
  const headers = () => ({ authorization: `Bearer ${tokens.access_token}` })
  return {
    headers,
    login: () => post('/auth/register', { ...newPerson(), transport: 'header' }),
    refresh: () => {
      underWay ??= post('/auth/refresh', { refresh_token: tokens.refresh_token }, headers()).finally(() => {
        underWay = undefined
      })
      return underWay
    },
  }
}

let people = 0
const newPerson = () => ({ email: `person-${++people}@example.com`, password: 'correct horse battery' })
