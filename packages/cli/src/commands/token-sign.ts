import { createSigner, decodeUnverified, type JwtClaims, JwtError } from '@mapae/jwt'
import { explainJwt } from '@mapae/jwt/explain'
import { type Command, defineCommand } from '../command.ts'
import { CommandError, usageError } from '../command-error.ts'
import type { Io } from '../io.ts'
import { paintFor } from '../paint.ts'
import { jsonLines } from '../printable.ts'
import { readInput } from '../read-input.ts'
import { readKey } from '../read-keys.ts'
import { tokenReport } from '../token-report.ts'
import { wholeNumber } from '../whole-number.ts'

export const tokenSign: Command = defineCommand({
  name: 'token sign',
  summary: 'Sign claims with a key of yours, for tests and trials',
  flags: {
    key: { value: 'file', help: 'A file with the private key or secret: a PEM or a JWK' },
    claims: { value: 'json', help: 'The claims as a JSON object, or - for standard input' },
    'expires-in': { value: 'seconds', help: 'Set exp to so many seconds from now' },
    typ: { value: 'typ', help: 'The type in the header (default: JWT)' },
    alg: { value: 'name', help: 'The algorithm of the key, where the file leaves a choice (RSA)' },
    kid: { value: 'name', help: "The key's name in the header (default: its own, else its thumbprint)" },
    json: { help: 'Print JSON' },
  },
  notes: ['iat is set to now unless the claims have one. Without exp a token never ends.'],
  examples: [`mapae token sign --key private.pem --claims '{"sub":"me","aud":"my-api"}' --expires-in 300`],
  async work({ flags }, io) {
    if (flags.key === undefined || flags.claims === undefined)
      throw usageError('mapae token sign needs --key and --claims.')
    const given = parseClaims(flags.claims === '-' ? await readInput(io.stdin) : flags.claims)
    const now = Math.floor(io.clock() / 1000)
    const expires = flags['expires-in'] === undefined ? {} : { exp: now + lifetime(flags['expires-in']) }
    const key = await readKey(flags.key, { alg: flags.alg, kid: flags.kid })
    try {
      const token = createSigner({ key, typ: flags.typ, clock: io.clock })({ ...given, ...expires })
      io.stdout.write(flags.json ? signedJson(token) : signedText(token, io))
      return 0
    } catch (error) {
      if (!(error instanceof JwtError)) throw error
      throw new CommandError(error.description, { cause: error })
    }
  },
})

function signedJson(token: string): string {
  const { header, claims } = decodeUnverified(token)
  return jsonLines({ token, header, claims })
}

/** For a pipe the token alone; for a person what is in it as well. */
function signedText(token: string, io: Io): string {
  if (!io.stdout.isTTY) return `${token}\n`
  const paint = paintFor(io.stdout, io)
  return tokenReport(explainJwt(token, { clock: io.clock }), { heading: paint.good('✓ signed'), paint })
}

function lifetime(text: string): number {
  return wholeNumber(text, { name: '--expires-in', least: 1, most: 10 ** 9 })
}

/** The signer checks what is in it. */
function parseClaims(text: string): JwtClaims {
  try {
    const claims: unknown = JSON.parse(text)
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return { ...claims }
  } catch {}
  throw new CommandError('--claims must be a JSON object, such as {"sub":"me"}.')
}
