import { type Command, defineCommand } from '../command.ts'
import { paintFor } from '../paint.ts'
import { jsonLines } from '../printable.ts'
import { explainToken, readToken } from '../read-token.ts'
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
    const explained = explainToken(await readToken('token decode', words[0], io), io.clock)
    const { form, header, claims, times, size, problems } = explained
    const paint = paintFor(io.stdout, io)
    const heading = paint.warn('NOT VERIFIED: anyone can have written this. To check it: mapae token verify')
    io.stdout.write(
      flags.json
        ? jsonLines({ verified: false, form, header, claims, times, size, problems })
        : tokenReport(explained, { heading, paint }),
    )
    return form === 'jws' && !claims ? 1 : 0
  },
})
