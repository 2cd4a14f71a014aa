import { thousands } from './table.mjs'

const SHOWN = ['HS256', 'RS256', 'PS256', 'ES256', 'Ed25519']
const BARS = ['node:crypto', 'mapae', 'fast-jwt', 'jsonwebtoken', 'jose']
const PANELS = [
  { title: 'verify, cold', operation: 'verify cold' },
  { title: 'sign', operation: 'sign' },
]
const WIDTH = 860
const PANEL = 410
const LABEL = 62
const BAR = 9
const PITCH = 12

// Colours that hold on white and on GitHub's dark grey; the picture has no background of its own.
const STYLE = `
text { font: 11px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #3d444d }
.title { font-size: 14px; font-weight: 600 } .panel, .alg { font-weight: 600 } .value { font-size: 9.5px; fill: #59636e }
.line { stroke: #d1d9e0 }
.node-crypto { fill: #8b949e } .mapae { fill: #d1442f } .fast-jwt { fill: #4493a8 } .jsonwebtoken { fill: #b08a2e } .jose { fill: #7d6bb0 }
@media (prefers-color-scheme: dark) { text { fill: #d1d7e0 } .value { fill: #9198a1 } .line { stroke: #3d444d } .mapae { fill: #f0624d } }`

/** Bars for verifying and signing: each algorithm to its own scale, since RSA signs a hundred times slower than HMAC. */
export function picture(results, where) {
  const groupHeight = BARS.length * PITCH + 12
  const cached = results.find(({ alg, operation }) => alg === 'ES256' && operation === 'verify cached')
  const top = 92
  const height = top + SHOWN.length * groupHeight + 66
  const panels = PANELS.map((panel, at) =>
    drawPanel({ panel, results, left: at * (PANEL + 40), top, groupHeight }),
  )
  const parts = [
    text(0, 18, 'JWT operations a second on one thread: longer is better', 'title'),
    text(0, 36, where, 'value'),
    legend(58),
    ...panels,
    cached ? drawCached(cached, top + SHOWN.length * groupHeight + 22) : '',
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="JWT operations a second"><style>${STYLE}</style>${parts.join('\n')}</svg>\n`
}

function legend(y) {
  let x = 0
  return BARS.map((name) => {
    const item = `<rect class="${className(name)}" x="${x}" y="${y - 9}" width="10" height="10" rx="2"/>${text(x + 15, y, name)}`
    x += 32 + name.length * 6.2
    return item
  }).join('')
}

function drawPanel({ panel, results, left, top, groupHeight }) {
  const groups = SHOWN.map((alg, at) => {
    const found = results.find((one) => one.alg === alg && one.operation === panel.operation)
    return found ? drawGroup(found, { left, y: top + at * groupHeight, width: PANEL }) : ''
  })
  const line = `<line class="line" x1="${left}" y1="${top - 8}" x2="${left + PANEL}" y2="${top - 8}"/>`
  return `${text(left, top - 14, panel.title, 'panel')}${line}${groups.join('')}`
}

function drawGroup({ alg, rates }, { left, y, width }) {
  const names = BARS.filter((name) => rates[name])
  const middle = y + (names.length * PITCH) / 2 + 3
  return (
    text(left, middle, alg, 'alg') + bars(names, rates, { left: left + LABEL, y, width: width - LABEL - 48 })
  )
}

function drawCached({ rates }, y) {
  const names = ['mapae', 'fast-jwt'].filter((name) => rates[name])
  const title = text(0, y - 6, 'verify, cached: a token that was seen before, ES256', 'panel')
  const line = `<line class="line" x1="0" y1="${y}" x2="${WIDTH}" y2="${y}"/>`
  return title + line + bars(names, rates, { left: LABEL, y: y + 8, width: WIDTH - LABEL - 48 })
}

function bars(names, rates, { left, y, width }) {
  const most = Math.max(...names.map((name) => rates[name]))
  return names
    .map((name, at) => {
      const length = Math.max(1.5, (rates[name] / most) * width)
      const bar = `<rect class="${className(name)}" x="${left}" y="${y + at * PITCH}" width="${length.toFixed(1)}" height="${BAR}" rx="1.5"/>`
      return bar + text(left + length + 5, y + at * PITCH + BAR - 1, thousands(rates[name]), 'value')
    })
    .join('')
}

function className(name) {
  return name.replace(':', '-')
}

function text(x, y, content, kind) {
  return `<text x="${Number(x).toFixed(1)}" y="${y}"${kind ? ` class="${kind}"` : ''}>${content}</text>`
}
