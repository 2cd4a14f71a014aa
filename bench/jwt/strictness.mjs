// Writes docs/strictness.md: gives each library the same tokens and keys and notes what it does. Run: node bench/jwt/strictness.mjs
import { createHmac, createPublicKey, generateKeyPairSync, sign as rawSign } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createSigner, createVerifier, generateKey, importKey, toPublicKey } from '@mapae/jwt'
import * as fastJwt from 'fast-jwt'
import * as jose from 'jose'
import jsonwebtoken from 'jsonwebtoken'

const issuer = 'https://auth.example.com'
const audience = 'https://api.example.com'
const now = Math.floor(Date.now() / 1000)
const CLAIMS = { iss: issuer, aud: audience, sub: 'u1', iat: now, exp: now + 3600 }
const secret = generateKey('HS256', { kid: 'k1' })
const ec = generateKey('ES256', { kid: 'k1' })
const other = generateKey('ES256', { kid: 'k1' })
const bytes = secret.keyObject.export()
const HEADER = { alg: 'HS256', typ: 'JWT', kid: 'k1' }
const base64url = (value) =>
  Buffer.from(
    typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value),
  ).toString('base64url')
const mac = (input) => createHmac('sha256', bytes).update(input, 'latin1').digest('base64url')
const forge = (header, payload = CLAIMS) => join(base64url(header), base64url(payload))
const join = (header, payload) => `${header}.${payload}.${mac(`${header}.${payload}`)}`
const withClaims = (text) => `${JSON.stringify(CLAIMS).slice(0, -1)},${text}}`
const good = forge(HEADER)
const [h, p, s] = good.split('.')
const ecInput = `${base64url({ ...HEADER, alg: 'ES256' })}.${base64url(CLAIMS)}`
const next = (character) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(character) + 1]
}

/** Each row: what is wrong, where it is written, the token, and the key if it is not the secret. */
const TOKENS = [
  ['(the good token)', '', good],
  ['`alg: none`, no signature', 'RFC 8725 §2.1', `${base64url({ alg: 'none', typ: 'JWT' })}.${p}.`],
  ['HMAC made with the public key as secret', 'RFC 8725 §2.1', confused(), ec],
  [
    'another algorithm of the same family',
    'RFC 8725 §3.1',
    jsonwebtoken.sign(CLAIMS, Buffer.concat([bytes, bytes]), { algorithm: 'HS512', keyid: 'k1' }),
  ],
  ['key embedded as `jwk`, signed with it', 'RFC 8725 §3.5', embedded(), ec],
  ['a `kid` that no key has', 'RFC 7515 §4.1.4', forge({ ...HEADER, kid: 'k2' })],
  ['another `typ`', 'RFC 8725 §3.11', forge({ ...HEADER, typ: 'dpop+jwt' })],
  ['no `typ`', 'RFC 8725 §3.11', forge({ alg: 'HS256', kid: 'k1' })],
  ['unknown critical extension', 'RFC 7515 §4.1.11', forge({ ...HEADER, crit: ['x'], x: 1 })],
  ['empty `crit`', 'RFC 7515 §4.1.11', forge({ ...HEADER, crit: [] })],
  ['`b64: false` without `crit`', 'RFC 7797 §6', forge({ ...HEADER, b64: false })],
  ['a header parameter twice', 'RFC 7515 §4', forge(`{"alg":"none","alg":"HS256","typ":"JWT","kid":"k1"}`)],
  ['a claim twice', 'RFC 7519 §4', forge(HEADER, withClaims(`"sub":"admin"`))],
  ['a claim `__proto__`', '', forge(HEADER, withClaims('"__proto__":{"admin":true}'))],
  [
    'claims nested 1,000 deep',
    'RFC 8259 §9',
    forge(HEADER, withClaims(`"a":${'['.repeat(1000)}${']'.repeat(1000)}`)),
  ],
  ['a token of 100,000 characters', '', forge(HEADER, { ...CLAIMS, a: 'x'.repeat(75_000) })],
  ['four segments', 'RFC 7515 §7.1', `${good}.x`],
  ['padding in the signature', 'RFC 7515 §2', `${good}=`],
  ['a line break behind the token', 'RFC 7515 §2', `${good}\n`],
  ['stray bits in the signature', 'RFC 4648 §3.5', good.slice(0, -1) + next(good.at(-1))],
  [
    'a signature character replaced by one with the same low byte',
    'RFC 7515 §2',
    `${h}.${p}.${String.fromCharCode(s.charCodeAt(0) + 256)}${s.slice(1)}`,
  ],
  [
    'padding in the payload, signed so',
    'RFC 7515 §2',
    join(
      h,
      `${base64url(`${JSON.stringify(CLAIMS)}${' '.repeat((3 - (JSON.stringify(CLAIMS).length % 3) + 1) % 3)}`)}=`,
    ),
  ],
  ['white space in the payload, signed so', 'RFC 7515 §2', join(h, `${p.slice(0, 8)} ${p.slice(8)}`)],
  ['payload in the other alphabet (`+`, `/`), signed so', 'RFC 7515 §2', join(h, otherAlphabet())],
  [
    'payload that is not UTF-8',
    'RFC 7515 §5.2',
    join(h, base64url(Buffer.from(withClaims('"a":"\xff"'), 'latin1'))),
  ],
  ['half a surrogate pair in a claim', 'RFC 8259 §8.2', forge(HEADER, withClaims('"a":"\\ud800"'))],
  ['`exp` as text', 'RFC 7519 §4.1.4', forge(HEADER, { ...CLAIMS, exp: String(now + 3600) })],
  [
    '`exp` beyond numbers (1e999)',
    'RFC 7519 §2',
    forge(HEADER, JSON.stringify(CLAIMS).replace(String(CLAIMS.exp), '1e999')),
  ],
  ['no `exp`', 'RFC 9068 §2.2', forge(HEADER, { ...CLAIMS, exp: undefined })],
  ['expired a second ago', 'RFC 7519 §4.1.4', forge(HEADER, { ...CLAIMS, exp: now - 1 })],
  ['`nbf` as text', 'RFC 7519 §4.1.5', forge(HEADER, { ...CLAIMS, nbf: 'later' })],
  ['`nbf` in an hour', 'RFC 7519 §4.1.5', forge(HEADER, { ...CLAIMS, nbf: now + 3600 })],
  ['`iat` in an hour', 'RFC 7519 §4.1.6', forge(HEADER, { ...CLAIMS, iat: now + 3600, exp: now + 7200 })],
  ['`sub` as an object', 'RFC 7519 §4.1.2', forge(HEADER, { ...CLAIMS, sub: { admin: true } })],
  ['`aud` with a number in the list', 'RFC 7519 §4.1.3', forge(HEADER, { ...CLAIMS, aud: [audience, 5] })],
  ['no `aud`', 'RFC 8725 §3.9', forge(HEADER, { ...CLAIMS, aud: undefined })],
  ['another issuer', 'RFC 8725 §3.8', forge(HEADER, { ...CLAIMS, iss: `${issuer}/` })],
  ['payload that is a list', 'RFC 7519 §7.2', forge(HEADER, [CLAIMS])],
  [
    'ECDSA signature as DER',
    'RFC 7518 §3.4',
    `${ecInput}.${rawSign('sha256', Buffer.from(ecInput), ec.keyObject).toString('base64url')}`,
    ec,
  ],
  ['ECDSA signature of zeros', 'RFC 7518 §3.4', `${ecInput}.${base64url(Buffer.alloc(64))}`, ec],
]

function confused() {
  const pem = toPublicKey(ec).keyObject.export({ type: 'spki', format: 'pem' })
  const input = `${h}.${p}`
  return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`
}

function embedded() {
  const jwk = toPublicKey(other).keyObject.export({ format: 'jwk' })
  return createSigner({ key: other, header: { jwk } })(CLAIMS)
}

function otherAlphabet() {
  const text = base64url(JSON.stringify({ ...CLAIMS, a: '>>>???>>>???' }))
  return text.replaceAll('-', '+').replaceAll('_', '/')
}

/** Each library with the checks that its manual offers for an API: key, algorithm, issuer, audience, and type where it has one. */
function verifiers(key) {
  const publicKey = key.use === 'secret' ? key : toPublicKey(key)
  const algorithms = [key.alg]
  const pem =
    key.use === 'secret' ? bytes : publicKey.keyObject.export({ type: 'spki', format: 'pem' }).toString()
  return {
    mapae: createVerifier({ keys: publicKey, issuer, audience, typ: 'JWT' }),
    jose: (token) => jose.jwtVerify(token, publicKey.keyObject, { algorithms, issuer, audience, typ: 'JWT' }),
    'fast-jwt': fastJwt.createVerifier({
      key: pem,
      algorithms,
      allowedIss: issuer,
      allowedAud: audience,
      checkTyp: 'JWT',
      cache: false,
    }),
    jsonwebtoken: (token) =>
      jsonwebtoken.verify(token, publicKey.keyObject, { algorithms, issuer, audience }),
  }
}

const rsaPem = (options) =>
  generateKeyPairSync('rsa', { modulusLength: 2048, ...options })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
const [rsaShort, rsaThree] = [rsaPem({ modulusLength: 1024 }), rsaPem({ publicExponent: 3 })]
const pemAsSecret = toPublicKey(ec).keyObject.export({ type: 'spki', format: 'pem' }).toString()

/** Keys that must not sign: each library is asked to make a token with them. */
const KEYS = [
  ['HMAC secret of 8 bytes for HS256', 'RFC 7518 §3.2', 'HS256', Buffer.alloc(8, 7)],
  ['a PEM public key as HMAC secret', 'RFC 8725 §2.1', 'HS256', pemAsSecret],
  ['RSA key of 1024 bits', 'RFC 7518 §3.3', 'RS256', rsaShort],
  ['RSA key with exponent 3', 'RFC 8725 §3.5', 'RS256', rsaThree],
]

function signers(alg, key) {
  const asText = typeof key === 'string'
  const jwk = asText ? key : { kty: 'oct', k: base64url(key) }
  const importText = () => (key.includes('PUBLIC') ? jose.importSPKI(key, alg) : jose.importPKCS8(key, alg))
  const sign = async () =>
    new jose.SignJWT(CLAIMS).setProtectedHeader({ alg }).sign(asText ? await importText() : key)
  return {
    mapae: () => createSigner({ key: importKey(jwk, { alg }) })(CLAIMS),
    jose: sign,
    'fast-jwt': () => fastJwt.createSigner({ key, algorithm: alg })(CLAIMS),
    jsonwebtoken: () => jsonwebtoken.sign(CLAIMS, key, { algorithm: alg }),
  }
}

/** A key of small order, and a token that its owner has not signed: nobody has to have a private key for it. */
const weak = { kty: 'OKP', crv: 'Ed25519', x: base64url(Buffer.from([1, ...Buffer.alloc(31)])) }
const weakToken = `${base64url(JSON.stringify({ alg: 'EdDSA', typ: 'JWT' }))}.${p}.${base64url(Buffer.from([1, ...Buffer.alloc(63)]))}`
const weakKey = createPublicKey({ key: weak, format: 'jwk' })
const weakVerifiers = {
  mapae: () => createVerifier({ keys: importKey(weak), issuer, audience, typ: 'JWT' })(weakToken),
  jose: () => jose.jwtVerify(weakToken, weakKey, { algorithms: ['EdDSA'], issuer, audience, typ: 'JWT' }),
  'fast-jwt': () =>
    fastJwt.createVerifier({
      key: weakKey.export({ type: 'spki', format: 'pem' }).toString(),
      algorithms: ['EdDSA'],
      allowedIss: issuer,
      allowedAud: audience,
      cache: false,
    })(weakToken),
  jsonwebtoken: () => jsonwebtoken.verify(weakToken, weakKey, { algorithms: ['EdDSA'], issuer, audience }),
}

async function outcome(act) {
  try {
    await act()
    return 'accepts'
  } catch (error) {
    return error?.code && error.constructor.name === 'JwtError' ? `\`${error.code}\`` : 'refuses'
  }
}

const NAMES = ['mapae', 'jose', 'fast-jwt', 'jsonwebtoken']

async function row(what, rfc, acts) {
  const outcomes = []
  for (const name of NAMES) outcomes.push(await outcome(acts[name]))
  return `| ${what} | ${rfc} | ${outcomes.join(' | ')} |`
}

const lines = []
for (const [what, rfc, token, key = secret] of TOKENS) {
  const verify = verifiers(key)
  lines.push(await row(what, rfc, Object.fromEntries(NAMES.map((name) => [name, () => verify[name](token)]))))
}
lines.push(await row('forged for an Ed25519 key of small order', 'RFC 8725 §3.4', weakVerifiers))
const keyLines = []
for (const [what, rfc, alg, key] of KEYS) keyLines.push(await row(what, rfc, signers(alg, key)))

const require = createRequire(import.meta.url)
const versionOf = (/** @type {string} */ name) =>
  JSON.parse(
    readFileSync(
      require.resolve(name).replace(new RegExp(`(node_modules/${name})/.*`), '$1/package.json'),
      'utf8',
    ),
  ).version
const versions = ['jose', 'fast-jwt', 'jsonwebtoken'].map((name) => `${name} ${versionOf(name)}`).join(', ')
const head = `|  |  | ${NAMES.join(' | ')} |\n|---|---|${NAMES.map(() => '---').join('|')}|`
writeFileSync(
  new URL('../../docs/strictness.md', import.meta.url),
  `# What is refused

Made by \`node bench/jwt/strictness.mjs\`, which gives every library the same tokens. Each is called with the key, the algorithm, the
issuer and the audience, and with the type where it can check one; everything else is its default. Some of what a peer accepts it
accepts on purpose, or offers an option against; the table shows what happens to those who do not know the option.

${versions}; Node ${process.version}.

## Tokens

${head}
${lines.join('\n')}

## Keys that must not sign

${head}
${keyLines.join('\n')}

## Encrypted tokens

Read are nested tokens (RFC 7519 §11.2: signed, then encrypted) by \`dir\`, \`A256KW\`, \`ECDH-ES\` and \`RSA-OAEP-256\`, with \`A256GCM\`; one key is for one
of them. All else is refused before any cryptography:

| | | |
|---|---|---|
| \`RSA1_5\`, and \`RSA-OAEP\`, which is OAEP with SHA-1 (RFC 7520 §6) | RFC 8725 §3.2 | \`unsupported_algorithm\` |
| passwords, \`PBES2-…\`, whatever \`p2c\` asks for (RFC 7517 appendix C, RFC 7520 §5.3) | RFC 7518 §8.6, §8.8 | \`unsupported_algorithm\` |
| \`A128KW\`, \`A…GCMKW\`, \`ECDH-ES+A…KW\` (RFC 7520 §5.4, §5.7, §5.8) | RFC 7518 §4.1 | \`unsupported_algorithm\` |
| \`A128GCM\`, \`A…CBC-HS…\` | RFC 7518 §5.1 | \`algorithm_not_allowed\` |
| compressed content, \`zip\` (RFC 7520 §5.9) | RFC 8725 §3.6 | \`token_malformed\` |
| what is not a signed token inside (\`cty\`) | RFC 7519 §5.2 | \`type_mismatch\` |

The sections in brackets are the RFCs' own examples, each of which is a test: \`packages/jwt/test/vectors.test.ts\` and \`nested-vectors.test.ts\`, which
decrypts them with node:crypto too and verifies what is inside.
`,
)
console.log(lines.concat(keyLines).join('\n'))
