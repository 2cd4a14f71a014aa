import { padded, width } from './columns.ts'

/** A text in lines of at most so many columns of a terminal, broken between words; a longer word has a line to itself. */
export function wrapped(text: string, columns: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last === '') lines[lines.length - 1] = word
    else if (width(last) + 1 + width(word) <= columns) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** Names on the left, what they mean on the right, in as many lines as it takes. */
export function hanging(rows: readonly (readonly [string, string])[], columns: number): string[] {
  const left = Math.max(...rows.map(([name]) => width(name))) + 2
  return rows.flatMap(([name, meaning]) =>
    wrapped(meaning, columns - left).map((line, index) => padded(index === 0 ? name : '', left) + line),
  )
}
