import { cpus } from 'node:os'

const SHOWN = 7
const MB = 2 ** 20

/** The section of RESULTS.md. */
export function report({ sides, minutes, devices, perSecond }) {
  const parts = sides.map(
    ({ name, samples, seen }) =>
      `### ${name}\n\n${acts(seen)}\n\n${table(samples)}\n\nHeap after a collection: ${slope(samples, 'heap')} MB a minute over the last two thirds; resident memory: ${slope(samples, 'rss')} MB a minute.`,
  )
  return `${minutes} minutes of people who log in, renew, look, log out, forget their session or are robbed, ${perSecond} acts a second on each server, while sessions run out after a minute and are swept away half a minute later.
Node ${process.version}, ${cpus()[0]?.model.trim()}, ${new Date().toISOString().slice(0, 10)}. Memory is in MB, the heap's after a garbage collection. \`npm run bench -- soak --minutes ${minutes} --devices ${devices}\` measures again.

${parts.join('\n\n')}`
}

function acts(seen) {
  const list = Object.entries(seen).map(([act, times]) => `${times.toLocaleString('en')} × ${act}`)
  return `${list.join(', ')}; every answer as it had to be.`
}

function table(samples) {
  const at = Array.from(
    { length: SHOWN },
    (_, n) => samples[Math.round((n * (samples.length - 1)) / (SHOWN - 1))],
  )
  const row = (title, read) =>
    `| ${title.padEnd(22)} | ${at.map((one) => read(one).padStart(6)).join(' | ')} |`
  return [
    row('minute', ({ minute }) => minute.toFixed(1)),
    `| ${'-'.repeat(22)} | ${at.map(() => '-----:').join(' | ')} |`,
    row('resident', ({ rss }) => (rss / MB).toFixed(0)),
    row('heap', ({ heap }) => (heap / MB).toFixed(1)),
    row('outside the heap', ({ external }) => (external / MB).toFixed(1)),
    row('database', ({ stored }) => (stored / MB).toFixed(1)),
    row('write-ahead log', ({ log }) => (log / MB).toFixed(1)),
  ].join('\n')
}

/** Of the straight line through the samples (least squares), without the first third, in which things warm up. */
function slope(samples, what) {
  const rest = samples.slice(Math.floor(samples.length / 3))
  const mean = (read) => rest.reduce((sum, one) => sum + read(one), 0) / rest.length
  const [x, y] = [mean(({ minute }) => minute), mean((one) => one[what] / MB)]
  const over = rest.reduce((sum, one) => sum + (one.minute - x) * (one[what] / MB - y), 0)
  const under = rest.reduce((sum, one) => sum + (one.minute - x) ** 2, 0)
  return under === 0 ? '0.00' : (over / under).toFixed(2)
}
