import type { QueryClient } from '@tanstack/react-query'
import { refusal } from './call-auth.ts'
import type { Client } from './client.ts'
import { isPassing, MapaeError } from './mapae-error.ts'
import { parseMembers } from './wire.ts'

/**
 * What a query needs to read JSON by the client: `useQuery({ queryKey: ['orders'], queryFn: json(client, '/orders') })`. An answer
 * that is no success is thrown as `MapaeError`, with the code of its problem document where it has one.
 */
export function json(
  client: Client,
  input: string | URL,
  init?: RequestInit,
): (context: { readonly signal: AbortSignal }) => Promise<unknown> {
  return async ({ signal }) => {
    const response = await client.fetch(input, { ...init, signal })
    const text = await response.text()
    if (!response.ok) throw refusal(response, parseMembers(text))
    return text === '' ? null : JSON.parse(text) // 204 has nothing to read, and a query may not be undefined
  }
}

/** For `defaultOptions.queries.retry`: three times what may pass by itself, and nothing that needs a person. */
export function retry(failures: number, error: unknown): boolean {
  return failures < 3 && (isPassing(error) || !(error instanceof MapaeError))
}

/** Empties the cache when somebody logs out or in, so that nobody sees what another person asked for. Returns how to stop. */
export function clearOnChange(client: Client, queries: Pick<QueryClient, 'clear'>): () => void {
  return client.onChange((change) => {
    if (change.type === 'logged_in' || change.type === 'logged_out') queries.clear()
  })
}
