/** Controls, and characters that turn the direction of writing: what somebody else wrote must not move the cursor. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** A text from anybody, safe to show on a terminal. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A value from anybody as one line of JSON, safe to show on a terminal. */
export function printableJson(value: unknown): string {
  return printable(JSON.stringify(value) ?? 'undefined')
}
