/** @typedef {ReturnType<typeof createPrinter>} Printer */

const WIDTH = 100
const INDENT = '        '
/** Header fields of an answer that belong to the story. */
const SHOWN = ['authorization', 'www-authenticate']

const coloured = process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
/** @param {number | string} code */
const sgr = (code) => (/** @type {string} */ text) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text)
const [bold, dim, good, bad, accent] = [sgr(1), sgr(2), sgr(32), sgr(31), sgr('1;36')]
/** The three parts of a token. */
const parts = [sgr(31), sgr(35), sgr(36)]

/** Shows the walk on a terminal, or plainly in a pipe, no line wider than {@link WIDTH} columns. */
export function createPrinter() {
  return { title, step, note, request, answer, token, countdown, end }
}

/** @param {string} text @param {string} beside */
function title(text, beside) {
  console.log(`\n${bold(`마패 Mapae · ${text}`)}\n${dim(beside)}`)
}

/** @param {string} number @param {string} text */
function step(number, text) {
  console.log(`\n${accent(number.padStart(5))}   ${bold(text)}`)
}

/** @param {string} text */
function note(text) {
  for (const line of wrapped(text)) console.log(dim(INDENT + line))
}

/** @param {string} text */
function end(text) {
  console.log(`\n${good('✓')} ${text}\n`)
}

/**
 * @param {{ method: string, path: string, headers: Record<string, string>, body?: Record<string, unknown> | undefined }} request
 */
function request({ method, path, headers, body }) {
  line(`→ ${bold(`${method} ${path}`)}`)
  for (const [name, value] of Object.entries(headers)) field(name, value)
  if (body) json({ ...body, ...('password' in body && { password: '…' }) })
}

/** @param {Response} response @param {unknown} body */
function answer(response, body) {
  const tone = response.ok ? good : bad
  line(`← ${tone(`${response.status} ${response.statusText}`)}`)
  for (const name of SHOWN) {
    const value = response.headers.get(name)
    if (value) field(name, value)
  }
  for (const value of response.headers.getSetCookie()) field('set-cookie', value)
  json(body)
}

/** @param {string | undefined} access @param {string} text */
function token(access, text) {
  if (access === undefined) return
  note(text)
  const claims = JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString())
  json(claims, parts[1])
}

/**
 * @param {number} seconds
 * @param {(ms: number) => Promise<unknown>} sleep
 */
async function countdown(seconds, sleep) {
  if (!process.stdout.isTTY) return void (await sleep(seconds * 1000))
  const ticks = seconds * 10
  for (let tick = 0; tick <= ticks; tick++) {
    const bar = '█'.repeat(ticks - tick).padEnd(ticks, '░')
    process.stdout.write(`\r${INDENT}${parts[1]?.(bar)} ${((ticks - tick) / 10).toFixed(1)} s `)
    await sleep(100)
  }
  process.stdout.write('\n')
}

/** @param {string} text */
function line(text) {
  console.log(`${INDENT.slice(2)}  ${text}`)
}

/** @param {string} name @param {string} value */
function field(name, value) {
  const [first = '', ...rest] = wrapped(`${name}: ${shortened(value)}`)
  line(`  ${tokensColoured(first.replace(/^[\w-]+:/, (text) => dim(text)))}`)
  for (const more of rest) line(`    ${tokensColoured(more)}`)
}

/** @param {unknown} value */
function json(value, colour = (/** @type {string} */ text) => text) {
  for (const text of laidOut(value, WIDTH - INDENT.length - 4)) line(`  ${tokensColoured(colour(text))}`)
}

/**
 * JSON on one line where it fits, else as many members on each as fit.
 * @param {unknown} value
 * @param {number} width
 * @returns {string[]}
 */
function laidOut(value, width) {
  const text = shortened(JSON.stringify(value))
  if (text.length <= width || typeof value !== 'object' || value === null) return [text]
  const members = Object.entries(value)
  /** @type {string[]} */
  const lines = []
  for (const [index, [name, member]] of members.entries()) {
    const [first = '', ...rest] = laidOut(member, width - 4)
    const comma = index < members.length - 1 ? ',' : ''
    const whole = [`${JSON.stringify(name)}: ${first}`, ...rest]
    whole.push(`${whole.pop()}${comma}`)
    const last = lines.at(-1)
    const [only = ''] = whole
    if (
      whole.length === 1 &&
      last?.endsWith(',') &&
      !/^\s*}/.test(last) &&
      last.length + only.length < width - 2
    )
      lines[lines.length - 1] = `${last} ${only}`
    else lines.push(...whole)
  }
  return ['{', ...lines.map((more) => `  ${more}`), '}']
}

/** Tokens by the beginnings of their parts. @param {string} text */
function shortened(text) {
  return text
    .replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, (jwt) =>
      jwt
        .split('.')
        .map((part) => `${part.slice(0, 10)}…`)
        .join('.'),
    )
    .replace(/(mdt_[\w-]+\.[\w-]{6})[\w-]*(\.[\w-]{6})[\w-]*/g, '$1…$2…')
    .replace(/(mrt_[\w-]+\.[\w-]{6})[\w-]*(\.\d+\.[\w-]{6})[\w-]*/g, '$1…$2…')
}

/** @param {string} text */
function tokensColoured(text) {
  return text.replace(/eyJ[\w-]*…\.[\w-]*…\.[\w-]*…/g, (jwt) =>
    jwt
      .split('.')
      .map((part, index) => parts[index]?.(part))
      .join('.'),
  )
}

/** @param {string} text @returns {string[]} */
function wrapped(text) {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    const fits = columnsOf(last) + 1 + columnsOf(word) <= WIDTH - INDENT.length - 4
    if (last === '') lines[lines.length - 1] = word
    else if (fits) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** Korean letters take two columns. @param {string} text */
function columnsOf(text) {
  return [...text].length + (text.match(/\p{Script=Hangul}/gu)?.length ?? 0)
}
