import { createJwkSet, createVerifier, decodeUnverified, importKey, type Jwk, type Key } from '@mapae/jwt'
import { type Answer, URL_OF_AUTH } from '../start-auth.ts'
import { ACCESS_LIFETIME, type Replica } from './arena.ts'
import type { Message } from './world.ts'

/** I7: what is wrong with the access token of an answer: whose it is, when it ends, or who signed it. */
export async function accessFault({
  message,
  replica,
  at,
  answer,
}: {
  message: Message
  replica: Replica
  at: number
  answer: Answer
}): Promise<string | undefined> {
  if (answer.status !== 200) return undefined
  const { session } = message.by
  const token = answer.json.access_token
  const { claims } = await verify(replica, token)
  const cnf = session.device && { jkt: session.device.jkt }
  const iat = Math.floor(at / 1000)
  const exp = Math.min(iat + ACCESS_LIFETIME, Math.floor(session.row.expiresAt / 1000))
  if (claims['sid'] !== session.sid || claims.sub !== session.accountId)
    return 'the access token is of another session'
  if (JSON.stringify(claims['cnf']) !== JSON.stringify(cnf))
    return 'the access token is not bound as its session was at login'
  if (answer.json.token_type !== (session.device ? 'DPoP' : 'Bearer'))
    return `the access token is called ${answer.json.token_type}`
  if (claims.iat !== iat) return `the access token is of ${claims.iat}, and it is ${iat}`
  if (claims.exp !== exp) return `the access token ends at ${claims.exp}, and should at ${exp}`
  return undefined
}

const keys = new Map<string, Key>()

/** By the keys that the replica publishes, as an API would. */
async function verify(replica: Replica, token: string) {
  const kid = decodeUnverified(token).header.kid ?? 'none'
  if (!keys.has(kid)) {
    const published = await replica.call('GET', '/.well-known/jwks.json', {})
    for (const jwk of published.json.keys) keys.set(jwk['kid'] ?? '', importKey(jwk as Jwk))
  }
  const key = keys.get(kid)
  const verified = createVerifier({
    keys: createJwkSet(key ? [key] : []),
    issuer: URL_OF_AUTH,
    audience: URL_OF_AUTH,
    typ: 'at+jwt',
    dangerouslyIgnoreTimes: true,
  })
  return verified(token)
}
