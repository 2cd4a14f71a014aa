import { explainJwt } from '@mapae/jwt/explain'
import { type Command, defineCommand } from '../command.ts'
import { CommandError } from '../command-error.ts'
import { paintFor } from '../paint.ts'
import { readToken } from '../read-token.ts'
import { tokenReport } from '../token-report.ts'

export const tokenDecode: Command = defineCommand({
  name: 'token decode',
  summary: 'Show what is in a token, in words; verifies nothing',
  words: { usage: '[TOKEN | -]', least: 0, most: 1 },
  flags: { json: { help: 'Print JSON' } },
  notes: [
    'Without TOKEN, or with -, the token is read from standard input: then it is not kept in the history of the shell.',
    'Anyone can make a token that says anything. Believe only what mapae token verify accepts.',
  ],
  examples: ['mapae token decode eyJhbGciOi…', 'pbpaste | mapae token decode'],
  async work({ flags, words }, io) {
    const token = await readToken('token decode', words[0], io)
    if (token.startsWith('mrt_'))
      throw new CommandError(
        'This is a refresh token: it is opaque, and says nothing to anyone but its server.',
      )
    const explained = explainJwt(token, { clock: io.clock })
    if (explained.form === 'unknown' || !explained.header)
      throw new CommandError(`This is no JWT. ${explained.problems[0]?.description ?? ''}`.trim())

    const { form, header, claims, times, size, problems } = explained
    if (flags.json)
      io.stdout.write(
        `${JSON.stringify({ verified: false, form, header, claims, times, size, problems }, null, 2)}\n`,
      )
    else io.stdout.write(tokenReport(explained, paintFor(io.stdout, io)))
    return form === 'jws' && !claims ? 1 : 0
  },
})
