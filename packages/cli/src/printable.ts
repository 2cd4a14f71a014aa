/**
 * Controls, line and paragraph separators, characters that turn the direction of writing or show nothing (U+3164, the Hangul
 * filler, among them), and lone halves of a character: what somebody else wrote must neither move the cursor nor hide.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu

/** A text from anybody, safe to show on a terminal. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escaped)
}

/** A value from anybody as one line of JSON, safe to show on a terminal. */
export function printableJson(value: unknown): string {
  return printable(JSON.stringify(value) ?? 'undefined')
}

/** A value as JSON to read or to pipe on: the same value, with what is not safe on a terminal escaped, as JSON may. */
export function jsonLines(value: unknown): string {
  const lines = JSON.stringify(value, null, 2).split('\n')
  return `${lines.map(printable).join('\n')}\n`
}

/** As JSON escapes it, so that JSON stays JSON: one above U+FFFF as its two halves. */
function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('')
}
