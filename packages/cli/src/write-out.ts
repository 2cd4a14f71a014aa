import type { Output } from './io.ts'

/** Writes, and waits until there is room for more: however slow the reader is, no more than that is kept in memory. */
export function writeOut(output: Output, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (output.write(text, resolve) !== false) resolve()
  })
}
