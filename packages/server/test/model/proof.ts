import type { Device } from '../../../../test-support/device.ts'
import { URL_OF_AUTH } from '../start-auth.ts'
import type { Party, World } from './world.ts'

/** A nonce as a server gave it, and the moment by that server's clock. */
export interface Nonce {
  readonly value: string
  readonly at: number
}

/** A DPoP proof as it was sent, the same with every copy of its request. */
export interface SentProof {
  readonly name: string
  readonly jkt: string
  readonly nonce: Nonce | undefined
  /** Made for another request than it is sent with. */
  readonly isForAnother: boolean
  readonly jwt: Promise<string>
}

/** What a proof is to be made of, where not of what the party holds. */
interface Otherwise {
  readonly device?: Device
  readonly method?: string
  readonly path?: string
  readonly token?: string
  readonly nonce?: undefined
}

/** A fresh proof for a renewal with what the party holds. */
export function prove(world: World, by: Party, device: Device, otherwise: Otherwise = {}): SentProof {
  const { method = 'POST', path = '/auth/refresh', token = by.store.pair.access } = otherwise
  const name = `p${++world.proofs}`
  const nonce = 'nonce' in otherwise ? undefined : by.store.nonce
  const signer = otherwise.device ?? device
  const about = { method, url: URL_OF_AUTH + path, token, nonce: nonce?.value, now: world.arena.site.now }
  return {
    name,
    jkt: signer.jkt,
    nonce,
    isForAnother: 'method' in otherwise || 'path' in otherwise || 'token' in otherwise,
    jwt: signer.proof(about, { claims: { jti: name } }),
  }
}
