import { createRemoteJwkSet, decodeUnverified, JwtError, type VerifiedJwt, verifyJwt } from '@mapae/jwt'
import { type Command, defineCommand } from '../command.ts'
import { CommandError, usageError } from '../command-error.ts'
import type { Io } from '../io.ts'
import { fromNow } from '../moments.ts'
import { paintFor } from '../paint.ts'
import { printable } from '../printable.ts'
import { readKeys } from '../read-keys.ts'
import { readToken } from '../read-token.ts'

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
    issuer: { value: 'iss', many: true, help: 'The issuer that must have made it' },
    audience: { value: 'aud', many: true, help: 'Who it must be meant for' },
    typ: { value: 'typ', many: true, help: 'The type that it must have, such as at+jwt (default: any)' },
    json: { help: 'Print JSON' },
  },
  notes: [
    'Needs --issuer, --audience, and one of --jwks and --key. Without TOKEN it is read from standard input.',
  ],
  examples: [
    'mapae token verify eyJ… --jwks http://localhost:4000/.well-known/jwks.json --issuer http://localhost:4000 --audience http://localhost:4000 --typ at+jwt',
  ],
  async work({ flags, words }, io) {
    const { issuer, audience } = flags
    if (!issuer || !audience) throw usageError('mapae token verify needs --issuer and --audience.')
    const token = await readToken(NAME, words[0], io)
    try {
      const type = flags.typ ? { typ: flags.typ } : { dangerouslyAcceptAnyType: true as const }
      const rules = { issuer, audience, ...type, clock: io.clock }
      report(await verified(token, flags, rules), flags.json === true, io)
      return 0
    } catch (error) {
      if (!(error instanceof JwtError)) throw error
      if (error.code === 'options_invalid') throw new CommandError(error.description, { cause: error })
      refuse(error, flags.json === true, io)
      return 1
    }
  },
})

type Rules = {
  readonly issuer: readonly string[]
  readonly audience: readonly string[]
  readonly clock: () => number
} & ({ readonly typ: readonly string[] } | { readonly dangerouslyAcceptAnyType: true })

async function verified(
  token: string,
  { jwks, key, alg }: { jwks?: string; key?: string; alg?: string },
  rules: Rules,
): Promise<VerifiedJwt> {
  if ((jwks === undefined) === (key === undefined))
    throw usageError('mapae token verify needs either --jwks or --key.')
  if (jwks !== undefined) return verifyJwt({ ...rules, token, keys: createRemoteJwkSet(jwks) })
  const { kid } = decodeUnverified(token).header
  return verifyJwt({ ...rules, token, keys: await readKeys(key ?? '', { alg, defaultKid: kid }) })
}

function report({ header, claims, key }: VerifiedJwt, json: boolean, io: Io): void {
  if (json) {
    io.stdout.write(`${JSON.stringify({ valid: true, header, claims, kid: key.kid }, null, 2)}\n`)
    return
  }
  const { good } = paintFor(io.stdout, io)
  const expires =
    claims.exp === undefined ? 'never expires' : `expires ${fromNow(claims.exp - io.clock() / 1000)}`
  const subject = claims.sub === undefined ? '' : ` for ${printable(claims.sub)}`
  io.stdout.write(
    `${good('✓ valid')}${subject}, signed with ${key.alg} by ${printable(key.kid)}, ${expires}\n`,
  )
}

function refuse({ code, description, detail }: JwtError, json: boolean, io: Io): void {
  if (json) io.stdout.write(`${JSON.stringify({ valid: false, code, reason: description }, null, 2)}\n`)
  const { bad } = paintFor(io.stderr, io)
  const exp = detail?.['exp']
  const when =
    code === 'token_expired' && typeof exp === 'number' ? `, ${fromNow(exp - io.clock() / 1000)}` : ''
  io.stderr.write(`${bad('✗ refused')} (${code}${when}): ${description}\n`)
}
