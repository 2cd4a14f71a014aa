import { parseArgs } from 'node:util'

const USAGE = `node examples/fourteen-steps [--url <url>] [--cookie] [--lang ko|en]

  --url <url>   Walk against a Mapae that runs already (default: one of our own, whose access tokens live 3 s)
  --cookie      Let the tokens travel in cookies, as in a browser
  --lang ko|en  The language of the steps (default: that of the terminal)
`

/** @returns {{ url: string | undefined, byCookie: boolean, language: 'ko' | 'en' }} */
export function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: 'string' },
        cookie: { type: 'boolean' },
        lang: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        'own-server': { type: 'boolean' }, // the default
      },
    })
    if (values.help) end(USAGE, 0)
    const language = values.lang ?? (/^ko/.test(process.env.LC_ALL ?? process.env.LANG ?? '') ? 'ko' : 'en')
    if (language !== 'ko' && language !== 'en') throw new TypeError('--lang is ko or en')
    return {
      url: (values.url ?? process.env.MAPAE_URL)?.replace(/\/$/, ''),
      byCookie: values.cookie === true,
      language,
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return end(`${error.message.split('\n')[0]}\n\n${USAGE}`, 2)
  }
}

/** @param {string} text @param {number} code @returns {never} */
function end(text, code) {
  process[code === 0 ? 'stdout' : 'stderr'].write(text)
  process.exit(code)
}
