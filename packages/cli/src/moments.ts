/** A moment in local time, such as `2026-11-24 14:10:00 +09:00`. Milliseconds. */
export function localTime(at: number): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return 'no time at all'
  const two = (number: number) => String(Math.floor(Math.abs(number))).padStart(2, '0')
  const offset = -date.getTimezoneOffset()
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return `${day} ${time} ${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}`
}

/** How far a moment is from now, in words: `in 4 min`, `3 min ago`, `now`. */
export function fromNow(seconds: number): string {
  const length = inWords(Math.abs(seconds))
  if (length === undefined) return 'now'
  return seconds < 0 ? `${length} ago` : `in ${length}`
}

/** Each unit, the seconds in it, and up to how many of it are said in that unit. */
const UNITS = [
  ['s', 1, 90],
  ['min', 60, 90],
  ['h', 3600, 36],
  ['days', 86_400, 700],
  ['years', 31_557_600, Number.POSITIVE_INFINITY],
] as const

function inWords(seconds: number): string | undefined {
  const [name, length] = UNITS.find(([, size, most]) => seconds / size < most) ?? UNITS[4]
  const count = Math.round(seconds / length)
  return count === 0 ? undefined : `${count} ${name}`
}
