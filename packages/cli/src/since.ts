import { CommandError } from './command-error.ts'

const AGO = /^(\d{1,6})(min|h|d)$/
const MOMENT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/
const UNITS: Readonly<Record<string, number>> = { min: 60_000, h: 3_600_000, d: 86_400_000 }

/** A moment of the past, in milliseconds: a day (UTC), a moment of ISO 8601 with its offset, or how long ago. */
export function readSince(text: string, now: number): number {
  const [, count, unit = ''] = AGO.exec(text) ?? []
  if (count !== undefined) return now - Number(count) * (UNITS[unit] ?? 0)
  const at = MOMENT.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  throw new CommandError(
    `--since must be like 2026-11-25, 2026-11-25T09:00+09:00, 7d, 24h or 30min, not "${text}".`,
  )
}
