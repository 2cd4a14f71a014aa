const NAMES = ['node:crypto', 'mapae', 'jose', 'fast-jwt', 'jsonwebtoken']
const COLOURS = {
  'node:crypto': '#9aa0a6',
  mapae: '#b3261e',
  jose: '#4a6fa5',
  'fast-jwt': '#5b8c5a',
  jsonwebtoken: '#c2a83e',
}

export function markdown(results) {
  const lines = [
    `| algorithm | operation | ${NAMES.join(' | ')} | mapae ÷ node:crypto |`,
    `|---|---|${NAMES.map(() => '--:').join('|')}|--:|`,
  ]
  for (const { alg, operation, rates } of results) {
    const ratio = rates['node:crypto'] ? (rates.mapae / rates['node:crypto']).toFixed(2) : ''
    lines.push(
      `| ${alg} | ${operation} | ${NAMES.map((name) => thousands(rates[name])).join(' | ')} | ${ratio} |`,
    )
  }
  return lines.join('\n')
}

/** Bars for signing and cold verification, each algorithm to its own scale. */
export function svg(results) {
  const shown = results.filter(({ operation }) => operation === 'sign' || operation === 'verify cold')
  const [row, left, width] = [15, 150, 620]
  let y = 34
  const parts = []
  for (const { alg, operation, rates } of shown) {
    const most = Math.max(...Object.values(rates))
    parts.push(text(8, y + row - 4, `${alg} ${operation}`, 'font-weight="600"'))
    for (const name of NAMES.filter((one) => rates[one])) {
      const length = Math.max(2, (rates[name] / most) * (width - left - 170))
      parts.push(
        `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="${row - 3}" rx="2" fill="${COLOURS[name]}"/>`,
      )
      parts.push(text(left + length + 6, y + row - 5, `${name} ${thousands(rates[name])}`))
      y += row
    }
    y += 9
  }
  const style = 'font-family="system-ui,sans-serif" font-size="11" fill="#333"'
  const title = text(
    8,
    18,
    'JWT operations a second, one thread; longer is better',
    'font-size="13" font-weight="600"',
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" role="img" ${style}><rect width="100%" height="100%" fill="#fff"/>${title}${parts.join('')}</svg>\n`
}

const text = (x, y, content, attributes = '') =>
  `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${content}</text>`

function thousands(rate) {
  if (rate === undefined) return '—'
  return rate >= 1e6 ? `${(rate / 1e6).toFixed(2)}M` : `${(rate / 1e3).toFixed(rate < 1e4 ? 1 : 0)}k`
}
