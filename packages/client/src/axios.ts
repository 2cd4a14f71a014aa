import type { AxiosRequestConfig } from 'axios'
import type { Client } from './client.ts'

/**
 * Lets axios send by the client: `axios.create(sendingBy(client))`. axios keeps all that it does itself (base address, parameters,
 * interceptors, errors by status); only its `fetch` is the client's.
 */
export function sendingBy(client: Client): Pick<AxiosRequestConfig, 'adapter' | 'env'> {
  return { adapter: 'fetch', env: { fetch: (input, init) => client.fetch(input, init) } }
}
