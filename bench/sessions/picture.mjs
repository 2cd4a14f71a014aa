import { median } from './measure.mjs'

const WIDTH = 860
const LABEL = 210
const BAR = 11
const PITCH = 16
const AT = 32

// Colours that hold on white and on GitHub's dark grey; the picture has no background of its own.
const STYLE = `
text { font: 11px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #3d444d }
.title { font-size: 14px; font-weight: 600 } .panel { font-weight: 600 } .value { font-size: 9.5px; fill: #59636e }
.line { stroke: #d1d9e0 } .mapae { fill: #d1442f } .peer { fill: #4493a8 } .ceiling { fill: #8b949e }
@media (prefers-color-scheme: dark) { text { fill: #d1d7e0 } .value { fill: #9198a1 } .line { stroke: #3d444d } .mapae { fill: #f0624d } }`

/** Bars for each operation at 32 connections, each to its own scale; the bare server is left out, it would dwarf the rest. */
export function picture({ operations }, { isBusy }) {
  let y = 66
  const panels = Object.entries(operations).map(([operation, measured]) => {
    const bars = measured.filter(({ connections, name }) => connections === AT && name !== 'node:http')
    const panel = drawPanel({ operation, bars, top: y, what: isBusy ? 'perCpu' : 'rate' })
    y += bars.length * PITCH + 40
    return panel
  })
  const unit = isBusy ? 'a second of processor time' : 'a second'
  const parts = [
    text(0, 18, `Requests ${unit} over HTTP, 32 connections, one process: longer is better`, 'title'),
    text(
      0,
      36,
      'red: Mapae, with durable commits · blue: peers · grey: ceilings without authentication, database or HTTP',
      'value',
    ),
    ...panels,
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="Requests a second: refresh, me, login"><style>${STYLE}</style>${parts.join('\n')}</svg>\n`
}

function drawPanel({ operation, bars, top, what }) {
  const rates = bars.map(({ rounds }) => median(rounds.map((round) => round[what])))
  const most = Math.max(...rates)
  const line = `<line class="line" x1="0" y1="${top}" x2="${WIDTH}" y2="${top}"/>`
  const drawn = bars.map(({ name, sessions }, at) => {
    const y = top + 8 + at * PITCH
    const length = Math.max(1.5, (rates[at] / most) * (WIDTH - LABEL - 60))
    const stored = name.startsWith('mapae, ') && sessions ? ` · ${short(sessions)} stored` : ''
    return `${text(0, y + BAR - 1, `${name}${stored}`)}<rect class="${kindOf(name)}" x="${LABEL}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="1.5"/>${text(LABEL + length + 5, y + BAR - 1, Math.round(rates[at]).toLocaleString('en'), 'value')}`
  })
  return `${text(0, top - 6, operation, 'panel')}${line}${drawn.join('\n')}`
}

function kindOf(name) {
  if (name.startsWith('mapae, no database')) return 'ceiling'
  if (name.startsWith('mapae')) return 'mapae'
  return name.startsWith('better-auth') || name.startsWith('oidc-provider') ? 'peer' : 'ceiling'
}

function short(count) {
  return count >= 1e6 ? `${count / 1e6}M` : `${count / 1e3}k`
}

function text(x, y, content, kind) {
  return `<text x="${Number(x).toFixed(1)}" y="${y}"${kind ? ` class="${kind}"` : ''}>${content}</text>`
}
