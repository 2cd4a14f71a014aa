// What is measured: for each algorithm, a set of functions that sign or verify the same claims in the way of each library.
import { constants, createHmac, sign as rawSign, verify as rawVerify, timingSafeEqual } from 'node:crypto'
import { createSigner, createVerifier, decodeUnverified, generateKey, toPublicKey } from '@mapae/jwt'
import * as fastJwt from 'fast-jwt'
import * as jose from 'jose'
import jsonwebtoken from 'jsonwebtoken'

export const ALGORITHMS = [
  ...['HS', 'RS', 'PS', 'ES'].flatMap((family) => [256, 384, 512].map((size) => `${family}${size}`)),
  'Ed25519',
]
const TOKENS = 256
const issuer = 'https://auth.example.com'
const audience = 'https://api.example.com'
const seconds = () => Math.floor(Date.now() / 1000)

const claimsOf = (n) => ({
  iss: issuer,
  aud: audience,
  sub: `usr_${String(n).padStart(8, '0')}`,
  client_id: 'web',
  sid: 'AAECAwQFBgcICQoLDA0ODw',
  epoch: 0,
  jti: `tok_${String(n).padStart(12, '0')}`,
  iat: seconds(),
  exp: seconds() + 86_400,
  scope: 'read write',
  roles: ['member'],
})

/** A function that gives the next of many tokens (or claims), so that nothing is measured on one value alone. */
const cycle = (list) => {
  let at = 0
  return () => list[at++ % list.length]
}

export function contenders(alg) {
  const key = generateKey(alg)
  const publicKey = key.use === 'secret' ? key : toPublicKey(key)
  const claims = Array.from({ length: TOKENS }, (_, n) => claimsOf(n))
  const tokens = claims.map(createSigner({ key, typ: 'JWT' }))
  const bytes = tokens.map((token) => Buffer.from(token, 'latin1'))
  const nextBytes = cycle(bytes)
  // A request's token is a new string each time.
  const token = () => nextBytes().latin1Slice()
  const next = cycle(claims)
  const policy = { issuer, audience, typ: 'JWT' }
  const mapae = {
    cold: createVerifier({ keys: publicKey, ...policy }),
    cached: createVerifier({ keys: publicKey, ...policy, cache: { max: 1000 } }),
  }
  const signMapae = createSigner({ key })
  const fast = fastContender({ alg, key, publicKey })
  const raw = rawContender({ alg, key, publicKey })
  const jwt = jsonwebtokenContender({ alg, key, publicKey })
  for (const one of bytes) for (const verify of [mapae.cached, fast.cached]) verify(one.latin1Slice())
  return {
    sign: {
      'node:crypto': () => raw.sign(next()),
      mapae: () => signMapae(next()),
      jose: () =>
        new jose.SignJWT(next()).setProtectedHeader({ alg, typ: 'JWT', kid: key.kid }).sign(key.keyObject),
      'fast-jwt': () => fast.sign(next()),
      ...(jwt && { jsonwebtoken: () => jwt.sign(next()) }),
    },
    'verify cold': {
      'node:crypto': () => raw.verify(token()),
      'by hand': () => raw.read(token()),
      mapae: () => mapae.cold(token()),
      jose: () =>
        jose.jwtVerify(token(), publicKey.keyObject, { issuer, audience, typ: 'JWT', algorithms: [alg] }),
      'fast-jwt': () => fast.verify(token()),
      ...(jwt && { jsonwebtoken: () => jwt.verify(token()) }),
    },
    'verify cached': {
      mapae: () => mapae.cached(token()),
      'fast-jwt': () => fast.cached(token()),
    },
    decode: {
      'by hand': () => decodeByHand(token()),
      mapae: () => decodeUnverified(token()),
      jose: () => joseDecode(token()),
      'fast-jwt': cycleDecode(token),
      jsonwebtoken: () => jsonwebtoken.decode(token(), { complete: true }),
    },
  }
}

function decodeByHand(token) {
  const [header, claims] = token.split('.')
  return { header: parse(header), claims: parse(claims) }
}

const parse = (segment) => JSON.parse(Buffer.from(segment, 'base64url').toString())

const joseDecode = (token) => ({ header: jose.decodeProtectedHeader(token), claims: jose.decodeJwt(token) })

function cycleDecode(token) {
  const decode = fastJwt.createDecoder({ complete: true })
  return () => decode(token())
}

const pem = (key, type) =>
  key.type === 'secret' ? key.export() : key.export({ type, format: 'pem' }).toString()

function fastContender({ alg, key, publicKey }) {
  const algorithm = alg === 'Ed25519' ? 'EdDSA' : alg
  const secret = pem(key.keyObject, 'pkcs8')
  const sign = fastJwt.createSigner({ key: secret, algorithm, kid: key.kid })
  const options = {
    key: pem(publicKey.keyObject, 'spki'),
    algorithms: [algorithm],
    allowedIss: issuer,
    allowedAud: audience,
  }
  // fast-jwt does not know the name Ed25519 in a header: it gets tokens of its own.
  const own =
    alg === 'Ed25519'
      ? cycle(Array.from({ length: TOKENS }, (_, n) => Buffer.from(sign(claimsOf(n)))))
      : undefined
  const given = (token) => (own ? own().latin1Slice() : token)
  const verify = fastJwt.createVerifier({ ...options, cache: false })
  const cached = fastJwt.createVerifier({ ...options, cache: 1000 })
  return { sign, verify: (token) => verify(given(token)), cached: (token) => cached(given(token)) }
}

function jsonwebtokenContender({ alg, key, publicKey }) {
  if (alg === 'Ed25519') return undefined
  return {
    sign: (claims) => jsonwebtoken.sign(claims, key.keyObject, { algorithm: alg, keyid: key.kid }),
    verify: (token) =>
      jsonwebtoken.verify(token, publicKey.keyObject, { algorithms: [alg], issuer, audience }),
  }
}

/** The least that Node can do: encode, and one signature operation with everything prepared; nothing is parsed or checked. */
function rawContender({ alg, key, publicKey }) {
  const header = `${Buffer.from(JSON.stringify({ alg, typ: 'JWT', kid: key.kid })).toString('base64url')}.`
  const hash = alg === 'Ed25519' ? null : `sha${alg.slice(2)}`
  const isHmac = alg.startsWith('HS')
  const options = optionsOf(alg)
  const inputOf = (one) => (options ? { key: one.keyObject, ...options } : one.keyObject)
  const [signing, verifying] = [inputOf(key), inputOf(publicKey)]
  const hmac = (input) => createHmac(hash, key.keyObject).update(input).digest()
  const signatureOf = isHmac ? hmac : (input) => rawSign(hash, Buffer.from(input), signing)
  const verify = (token) => {
    const dot = token.lastIndexOf('.')
    const signature = Buffer.from(token.slice(dot + 1), 'base64url')
    if (isHmac) return timingSafeEqual(hmac(token.slice(0, dot)), signature)
    return rawVerify(hash, Buffer.from(token.slice(0, dot)), verifying, signature)
  }
  return {
    sign: (claims) => {
      const input = header + Buffer.from(JSON.stringify(claims)).toString('base64url')
      return `${input}.${signatureOf(input).toString('base64url')}`
    },
    verify,
    read: (token) => verify(token) && parse(token.slice(token.indexOf('.') + 1, token.lastIndexOf('.'))),
  }
}

function optionsOf(alg) {
  if (alg.startsWith('ES')) return { dsaEncoding: 'ieee-p1363' }
  if (alg.startsWith('PS'))
    return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: Number(alg.slice(2)) / 8 }
  return undefined
}
