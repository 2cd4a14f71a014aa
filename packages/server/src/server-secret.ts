import { hkdfSync } from 'node:crypto'

/** One server secret, as the keys that are made of it. The secret itself is never a key. */
export interface ServerSecret {
  /** Names the secret in what it made; tells nothing about it. */
  readonly k: string
  readonly refreshKey: Buffer
  readonly wrappingKey: Buffer
  /** For the nonces of DPoP proofs. */
  readonly nonceKey: Buffer
  readonly mailKey: Buffer
  /** For what is braked, so that it cannot be read or guessed from the table. */
  readonly brakeKey: Buffer
  readonly deviceKey: Buffer
}

/** Newest first: the first one makes, all of them read. HKDF-SHA-256 (RFC 5869), one `info` a purpose. */
export function deriveSecrets(secrets: readonly string[]): readonly [ServerSecret, ...ServerSecret[]] {
  const [newest, ...older] = secrets.map(derive)
  if (!newest) throw new TypeError('at least one secret is needed')
  return [newest, ...older]
}

function derive(secret: string): ServerSecret {
  const key = (info: string) => Buffer.from(hkdfSync('sha256', secret, '', `mapae/v1/${info}`, 32))
  return {
    k: key('name').toString('base64url').slice(0, 6),
    refreshKey: key('refresh-token'),
    wrappingKey: key('signing-key-wrapping'),
    nonceKey: key('dpop-nonce'),
    mailKey: key('mail'),
    brakeKey: key('brakes'),
    deviceKey: key('device'),
  }
}
