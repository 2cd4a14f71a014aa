import type { Settings } from './options.ts'

/** What one client's parts share. */
export interface Context extends Settings {
  /** Sends one request with its credential, and nothing more: see `transmit`. */
  readonly send: (url: string, init: RequestInit, credential: Credential) => Promise<Response>
  /** A proof of a GET, by the key with this thumbprint; only where sessions are bound to keys. */
  readonly prove?: (jkt: string, url: string, access: string) => Promise<string>
}

/** What a request is authorized with; neither with cookies. */
export interface Credential {
  readonly access?: string | undefined
  /** The thumbprint of the key that the request is proved with. */
  readonly jkt?: string | undefined
}
