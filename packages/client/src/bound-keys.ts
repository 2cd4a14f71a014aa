import type { Settings } from './options.ts'

/** Whether new sessions are bound to a key, where the store can keep one. */
export function bindsSessions({ delivery, dangerouslyUnbound }: Settings): boolean {
  return delivery === 'header' && !dangerouslyUnbound && !!globalThis.crypto?.subtle
}

/** The keys that sessions are bound to (RFC 9449), and requests that are proved with them. */
export interface BoundKeys {
  /** Makes a key that nobody can read out, keeps it, and gives its thumbprint (RFC 7638). */
  make(): Promise<string>
  has(thumbprint: string): Promise<boolean>
  forget(thumbprint: string): Promise<void>
  /**
   * Sends a request with a proof, and once more when the answer asks for another one. Throws `MapaeError` `session_ended` with
   * `key_lost` when the key is not there.
   */
  send(thumbprint: string, url: string, init: RequestInit, access: string | undefined): Promise<Response>
  /** A proof of a GET, for what cannot be sent with `fetch`. Throws like `send`. */
  prove(thumbprint: string, url: string, access: string): Promise<string>
}
