import {
  createRemoteJwkSet,
  decodeUnverified,
  JwtError,
  type JwtErrorCode,
  type VerifiedJwt,
  verifyJwt,
} from '@mapae/jwt'
import { explainJwt } from '@mapae/jwt/explain'
import { type Command, defineCommand } from '../command.ts'
import { CommandError, usageError } from '../command-error.ts'
import type { Io } from '../io.ts'
import { fromNow } from '../moments.ts'
import { paintFor } from '../paint.ts'
import { jsonLines, printable, printableJson } from '../printable.ts'
import { readKeys } from '../read-keys.ts'
import { readToken } from '../read-token.ts'
import { tokenReport } from '../token-report.ts'
import { type Expected, expectedNames, verifyPolicy } from '../verify-policy.ts'

const NAME = 'token verify'

export const tokenVerify: Command = defineCommand({
  name: NAME,
  summary: 'Check a token: signature, issuer, audience, times',
  words: { usage: '[TOKEN | -]', least: 0, most: 1 },
  flags: {
    jwks: {
      value: 'url',
      help: 'The JWK Set with the keys, such as http://localhost:4000/.well-known/jwks.json',
    },
    key: { value: 'file', help: 'Or a file with the key: a PEM, a JWK or a JWK Set' },
    alg: { value: 'name', help: 'The algorithm of the key, where the file leaves a choice (RSA)' },
    issuer: { value: 'iss', many: true, help: 'Who must have made it (default: the origin of --jwks)' },
    audience: { value: 'aud', many: true, help: 'Whom it must be meant for (default: the origin of --jwks)' },
    typ: { value: 'typ', many: true, help: 'The type that it must have, such as at+jwt (default: any)' },
    json: { help: 'Print JSON' },
    'dangerously-accept-any-issuer': { help: 'Do not look at who made it' },
    'dangerously-accept-any-audience': { help: 'Do not look at whom it is meant for' },
    'dangerously-allow-http': {
      help: 'Fetch the keys over plain http from another machine: on the way they may be replaced',
    },
  },
  notes: ['Needs --jwks or --key. Without TOKEN it is read from standard input.'],
  outcomes: { done: 'the token is good', failed: 'the token is refused' },
  examples: [
    'mapae token verify eyJ… --jwks http://localhost:4000/.well-known/jwks.json --typ at+jwt',
    'pbpaste | mapae token verify --key public.pem --issuer https://id.example.com --audience api',
  ],
  async work({ flags, words }, io) {
    const { jwks, key } = flags
    if ((jwks === undefined) === (key === undefined))
      throw usageError('mapae token verify needs either --jwks or --key.')
    const policy = { ...verifyPolicy(flags), clock: io.clock }
    const token = await readToken(NAME, words[0], io)
    try {
      const verified = await verify(token, policy, flags)
      io.stdout.write(flags.json ? validJson(verified) : validReport(token, verified, io))
      return 0
    } catch (error) {
      if (!(error instanceof JwtError)) throw error
      if (NOTHING_IS_KNOWN.includes(error.code))
        throw new CommandError(nothingKnown(error, flags), { cause: error })
      if (flags.json) io.stdout.write(refusedJson(error))
      io.stderr.write(refusal(error, flags, io))
      return 1
    }
  },
})

/** With these nothing is known of the token. */
const NOTHING_IS_KNOWN: readonly JwtErrorCode[] = [
  'options_invalid',
  'jwks_unavailable',
  'jwks_invalid',
  'key_invalid',
]

function nothingKnown({ code, description }: JwtError, { jwks }: WhereKeysAre): string {
  return code.startsWith('jwks_') ? `${description.replace(/\.$/, '')}: ${jwks}.` : description
}

interface WhereKeysAre {
  readonly jwks?: string
  readonly key?: string
  readonly alg?: string
  readonly 'dangerously-allow-http'?: boolean
}

type Policy = ReturnType<typeof verifyPolicy> & { readonly clock: () => number }

/** Whoever types an address means it: that it is a private one is no reason to refuse. */
async function verify(token: string, policy: Policy, flags: WhereKeysAre): Promise<VerifiedJwt> {
  const { jwks, key = '', alg } = flags
  if (jwks === undefined) {
    const { kid } = decodeUnverified(token).header
    return verifyJwt({ ...policy, token, keys: await readKeys(key, { alg, defaultKid: kid }) })
  }
  const dangerouslyAllowHttp = flags['dangerously-allow-http'] === true
  const where = { dangerouslyAllowHttp, dangerouslyAllowPrivateAddresses: true, clock: policy.clock }
  return verifyJwt({ ...policy, token, keys: createRemoteJwkSet(jwks, where) })
}

function validJson({ header, claims, key }: VerifiedJwt): string {
  return jsonLines({ valid: true, header, claims, kid: key.kid })
}

function validReport(token: string, { claims, key }: VerifiedJwt, io: Io): string {
  const paint = paintFor(io.stdout, io)
  const expires =
    claims.exp === undefined ? 'never expires' : `expires ${fromNow(claims.exp - io.clock() / 1000)}`
  const subject = claims.sub === undefined ? '' : ` for ${printable(claims.sub)}`
  const heading = `${paint.good('✓ valid')}${subject}, signed with ${key.alg} by ${printable(key.kid)}, ${expires}`
  return tokenReport(explainJwt(token, { clock: io.clock }), { heading, paint })
}

function refusedJson({ code, description }: JwtError): string {
  return jsonLines({ valid: false, code, reason: description })
}

function refusal(error: JwtError, expected: Expected, io: Io): string {
  const { bad } = paintFor(io.stderr, io)
  return `${bad('✗ refused')} (${error.code}${whenExpired(error, io.clock)}): ${printable(error.description)}${instead(error, expected)}\n`
}

function whenExpired({ code, detail }: JwtError, clock: () => number): string {
  const exp = detail?.['exp']
  return code === 'token_expired' && typeof exp === 'number' ? `, ${fromNow(exp - clock() / 1000)}` : ''
}

/** What the token says, beside what it was compared with. */
function instead({ code, detail }: JwtError, expected: Expected): string {
  if (code !== 'issuer_mismatch' && code !== 'audience_mismatch') return ''
  const [name, said] =
    code === 'issuer_mismatch'
      ? (['issuer', detail?.['iss']] as const)
      : (['audience', detail?.['aud']] as const)
  const wanted = expectedNames(name, expected) ?? []
  return ` It says ${printableJson(said)}, not ${wanted.map(printableJson).join(' or ')}.`
}
