/** A JSON object as it came from a token: names and values of anybody's choosing. */
export type JsonObject = Readonly<Record<string, unknown>>

/** The depth to which objects and arrays may be nested in a header or in claims. */
export const MAX_DEPTH = 16

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The JSON object that the text holds, or a sentence that says why it is refused: not JSON, not an object, a member
 * named twice (RFC 7515 §4, RFC 7519 §4), a member named `__proto__`, half a character (RFC 8259 §8.2), or nested deeper than
 * {@link MAX_DEPTH}.
 */
export function parseJsonObject(text: string): JsonObject | string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'is not JSON'
  }
  if (!isJsonObject(value)) return 'is not a JSON object'
  return isPlain(text, value) ? value : (findFault(text) ?? value)
}

/** What {@link parseJsonObject} would say about the structure of a text that is known to be JSON. */
function findFault(json: string): string | undefined {
  const open: Set<string>[] = []
  for (let at = 0; at < json.length; at++) {
    const character = json.charCodeAt(at)
    if (character === OPEN_OBJECT || character === OPEN_ARRAY) {
      if (open.length === MAX_DEPTH) return 'is nested too deep'
      open.push(new Set())
    } else if (character === CLOSE_OBJECT || character === CLOSE_ARRAY) {
      open.pop()
    } else if (character === QUOTE) {
      const end = endOfString(json, at)
      const text: string = JSON.parse(json.slice(at, end))
      const fault = textFault(text) ?? (isMemberName(json, end) ? nameFault(text, open.at(-1)) : undefined)
      if (fault) return fault
      at = end - 1
    }
  }
  return undefined
}

/**
 * True for a text of which a quick look proves that it has no fault. Without backslashes, and without white space behind a
 * quote, every member name ends in `":`; if there are no more of these than members survived, no name came twice.
 */
function isPlain(json: string, value: JsonObject): boolean {
  if (SUSPICIOUS.test(json)) return false
  let names = 0
  for (let at = json.indexOf('":'); at >= 0; at = json.indexOf('":', at + 2)) names++
  return countMembers(value, 1) === names
}

const SUSPICIOUS = /\\|"\s|__proto__/

/** The members of an object and all within it, or NaN when it is nested too deep. */
function countMembers(value: object, depth: number): number {
  if (depth > MAX_DEPTH) return Number.NaN
  const within: readonly unknown[] = Object.values(value)
  let members = Array.isArray(value) ? 0 : within.length
  for (const one of within)
    if (typeof one === 'object' && one !== null) members += countMembers(one, depth + 1)
  return members
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const COLON = 0x3a

function endOfString(json: string, start: number): number {
  let at = start + 1
  while (json.charCodeAt(at) !== QUOTE) at += json.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at + 1
}

function isMemberName(json: string, end: number): boolean {
  let at = end
  while (json.charCodeAt(at) <= 0x20) at++
  return json.charCodeAt(at) === COLON
}

/** One surrogate of a pair can be written as an escape, but not as UTF-8: others would read another text, or none. */
function textFault(text: string): string | undefined {
  return /\p{Surrogate}/u.test(text) ? 'has half a character' : undefined
}

function nameFault(name: string, names: Set<string> | undefined): string | undefined {
  if (name === '__proto__') return 'has a member named __proto__'
  if (names?.has(name)) return 'has a member twice'
  names?.add(name)
  return undefined
}

/** One caller must not change what the next one gets. Gives the same value. */
export function freezeDeep<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  for (const one of Object.values(value)) freezeDeep(one)
  return Object.freeze(value)
}
