import { connect } from 'node:net'

export const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0'

/**
 * Sends requests over keep-alive connections, on each the next as soon as the last is answered, for so many milliseconds.
 * Requests are built by whoever calls and answers are only looked at as far as needed, so that the loader is not what is measured.
 *
 * @param {object} options
 * @param {number} options.port
 * @param {number} options.milliseconds
 * @param {readonly Client[]} options.clients one for each connection
 * @returns {Promise<Load>}
 *
 * @typedef {{ request: () => string | undefined, answered: (status: number, answer: string) => void }} Client
 * @typedef {{ answered: number, refused: number, failed: number, seconds: number, latencies: Float64Array }} Load
 *   A client without a next request is done. `answered` are 2xx, `refused` 503, `failed` all others; latencies of the answered, in milliseconds, sorted
 */
export async function load({ port, milliseconds, clients }) {
  const begun = performance.now()
  const until = begun + milliseconds
  const tally = { answered: 0, refused: 0, failed: 0 }
  const latencies = []
  const note = (status, took) => {
    if (status >= 200 && status < 300) {
      tally.answered++
      latencies.push(took)
    } else if (status === 503) tally.refused++
    else tally.failed++
  }
  await Promise.all(clients.map((client) => drive({ port, client, until, note })))
  const seconds = (performance.now() - begun) / 1000
  return { ...tally, seconds, latencies: Float64Array.from(latencies).sort() }
}

/**
 * Sends `perSecond` requests at even distances, whether or not those before are answered. A latency counts from the moment at
 * which its request was due, so that a server which stands still is not spared (no "coordinated omission").
 */
export async function paced({ port, milliseconds, perSecond, client, connections = 16 }) {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)))
  const latencies = []
  let [failed, sent] = [0, 0]
  const begun = performance.now()
  const due = Math.floor((milliseconds / 1000) * perSecond)
  await new Promise((resolve) => {
    let [settled, free] = [0, sockets]
    const waiting = []
    const timer = setInterval(() => {
      const now = performance.now()
      while (sent < due && begun + (sent * 1000) / perSecond <= now)
        waiting.push(begun + (sent++ * 1000) / perSecond)
      pump()
      if (sent === due) clearInterval(timer)
    }, 1)
    async function pump() {
      while (waiting.length > 0 && free.length > 0) {
        const at = waiting.shift()
        const [socket, ...rest] = free
        free = rest
        exchange(socket, client.request()).then(({ status }) => {
          if (status === 200) latencies.push(performance.now() - at)
          else failed++
          free = [...free, socket]
          if (++settled === due) resolve()
          else pump()
        })
      }
    }
  })
  for (const socket of sockets) socket.destroy()
  return { failed, latencies: Float64Array.from(latencies).sort() }
}

export function percentile(sorted, share) {
  return sorted.length === 0
    ? Number.NaN
    : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/** One request on a connection of its own. */
export async function once({ port, request }) {
  const socket = await open(port)
  const answer = await exchange(socket, request)
  socket.destroy()
  return answer
}

async function drive({ port, client, until, note }) {
  const socket = await open(port)
  while (performance.now() < until) {
    const request = client.request()
    if (request === undefined) break
    const sentAt = performance.now()
    const { status, answer } = await exchange(socket, request)
    note(status, performance.now() - sentAt)
    client.answered(status, answer)
    // A client that is told to come back later does.
    if (status === 503) await rest(Math.min(1000, until - performance.now()))
  }
  socket.destroy()
}

const rest = (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)))

function open(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
    socket.setEncoding('latin1')
  })
}

/** @returns {Promise<{ status: number, answer: string }>} head and body, as latin1 */
function exchange(socket, request) {
  return new Promise((resolve, reject) => {
    let answer = ''
    const onData = (chunk) => {
      answer = answer === '' ? chunk : answer + chunk
      if (!isWhole(answer)) return
      done()
      resolve({ status: Number(answer.slice(9, 12)), answer })
    }
    const onClose = () => {
      done()
      reject(new Error(`the connection ended in the middle of an answer: ${answer.slice(0, 200)}`))
    }
    const done = () => {
      socket.off('data', onData)
      socket.off('close', onClose)
    }
    socket.on('data', onData)
    socket.on('close', onClose)
    socket.write(request, 'latin1')
  })
}

function isWhole(answer) {
  const end = answer.indexOf('\r\n\r\n')
  if (end === -1) return false
  const head = answer.slice(0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)
  if (length) return answer.length >= end + 4 + Number(length[1])
  if (/\r\ntransfer-encoding: *chunked/i.test(head))
    return answer.endsWith('\r\n0\r\n\r\n') || answer.endsWith('\n0\r\n\r\n')
  return true
}

/** An HTTP/1.1 request as text. */
export function httpRequest({ method = 'GET', path, headers = {}, body }) {
  const sent = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
  const fields = {
    host: 'localhost',
    'user-agent': USER_AGENT,
    ...(body !== undefined && {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(sent),
    }),
    ...headers,
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${sent}`
}
