/** Cells wider than this do not push the others of their column aside. */
const WIDEST = 40

/** Rows with their cells one below the other; the last cell of a row is not padded. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows)
    for (const [index, cell] of row.entries())
      widths[index] = Math.max(widths[index] ?? 0, width(cell) > WIDEST ? 0 : width(cell))
  return rows.map((row) =>
    row
      .map((cell, index) => padded(cell, widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** A cell, filled up with spaces to so many columns of a terminal. */
export function padded(cell: string, columns: number): string {
  return cell + ' '.repeat(Math.max(0, columns - width(cell)))
}

/** East Asian letters and emoji take two columns on a terminal, marks that join the letter before them none. */
const WIDE =
  /[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/gu
const MARKS = /\p{M}/gu

/** How many columns of a terminal a text takes. */
export function width(text: string): number {
  return [...text].length + (text.match(WIDE)?.length ?? 0) - (text.match(MARKS)?.length ?? 0)
}
