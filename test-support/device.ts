import { createHash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

/** What a proof is made for. */
export interface ProofFor {
  readonly method: string
  /** The whole URL; the proof leaves out its query. */
  readonly url: string
  /** The device's clock, in milliseconds. */
  readonly now: number
  /** The access token that goes along. */
  readonly token?: string | undefined
  readonly nonce?: string | undefined
}

/** What to make wrong: claims and header parameters over the right ones; an undefined one is left out. */
export interface Changes {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
}

export interface Device {
  readonly jwk: JWK
  readonly privateJwk: JWK
  /** RFC 7638. */
  readonly jkt: string
  /** A DPoP proof (RFC 9449 §4.2). */
  proof(about: ProofFor, changes?: Changes): Promise<string>
}

/** A client's key and the proofs that it makes: with another library than ours, so that both must agree. */
export async function startDevice(alg = 'ES256'): Promise<Device> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(publicKey)
  return {
    jwk,
    privateJwk: await exportJWK(privateKey),
    jkt: await calculateJwkThumbprint(jwk, 'sha256'),
    proof({ method, url, now, token, nonce }, { claims, header } = {}) {
      const { origin, pathname } = new URL(url)
      return new SignJWT({
        jti: randomUUID(),
        htm: method,
        htu: origin + pathname,
        iat: Math.floor(now / 1000),
        ...(token !== undefined && { ath: createHash('sha256').update(token).digest('base64url') }),
        ...(nonce !== undefined && { nonce }),
        ...claims,
      })
        .setProtectedHeader({ typ: 'dpop+jwt', alg, jwk, ...header })
        .sign(privateKey)
    },
  }
}
