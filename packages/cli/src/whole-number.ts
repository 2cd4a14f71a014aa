import { CommandError } from './command-error.ts'

/** A whole number within bounds, or a sentence that names where it came from. */
export function wholeNumber(
  text: string,
  { name, least, most }: { name: string; least: number; most: number },
): number {
  const number = /^\d{1,15}$/.test(text.trim()) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  throw new CommandError(`${name} must be a whole number from ${least} to ${most}, not "${text}".`)
}
