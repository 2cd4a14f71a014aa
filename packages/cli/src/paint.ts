import type { Io, Output } from './io.ts'

/** Colours for a terminal; each function gives its text back unchanged where there are none. */
export interface Paint {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly warn: (text: string) => string
  readonly accent: (text: string) => string
  /** The three parts of a token. */
  readonly header: (text: string) => string
  readonly payload: (text: string) => string
  readonly signature: (text: string) => string
}

/** Colours only on a terminal, and not where NO_COLOR is set (https://no-color.org). */
export function paintFor(output: Output, { environment }: Pick<Io, 'environment'>): Paint {
  const coloured = output.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb'
  const sgr = (code: number) => (text: string) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text)
  return {
    bold: sgr(1),
    dim: sgr(2),
    good: sgr(32),
    bad: sgr(31),
    warn: sgr(33),
    accent: sgr(36),
    header: sgr(31),
    payload: sgr(35),
    signature: sgr(36),
  }
}
