export const NAMES = ['node:crypto', 'by hand', 'mapae', 'jose', 'fast-jwt', 'jsonwebtoken']

/** @param results [{ alg, operation, rates: { name: operations a second }, ratio: mapae to node:crypto, byHand: and to by hand }] */
export function table(results) {
  const head = ['algorithm', 'operation', ...NAMES, 'mapae ÷ node:crypto', '÷ by hand']
  const rows = results.map(({ alg, operation, rates, ratio, byHand }) => [
    alg,
    operation,
    ...NAMES.map((name) => thousands(rates[name])),
    ...[ratio, byHand].map((one) => one?.toFixed(2) ?? ''),
  ])
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at].length)))
  const line = (cells) => `| ${cells.map((cell, at) => pad(cell, widths[at], at)).join(' | ')} |`
  const rule = widths.map((width, at) => (at < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

export function thousands(rate) {
  if (rate === undefined) return '—'
  if (rate >= 1e6) return `${(rate / 1e6).toFixed(2)}M`
  return `${(rate / 1e3).toFixed(rate < 1e4 ? 1 : 0)}k`
}

function pad(cell, width, at) {
  return at < 2 ? cell.padEnd(width) : cell.padStart(width)
}
