import { once } from 'node:events'
import { connect } from 'node:net'

/** What the body of every answer ends with: an answer is whole when it is there. */
const END = Buffer.from('{"ok":true}')

/** Connections that ask one thing after the other, each with the next of many tokens, as fast as they are answered. */
export async function openLoad({ port, tokens, connections }) {
  const requests = tokens.map((token) =>
    Buffer.from(`GET /orders HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\n\r\n`),
  )
  let at = 0
  const next = () => requests[at++ % requests.length]
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)))
  return {
    /** @returns how long each of so many requests took, in milliseconds */
    async run(requests) {
      const times = []
      const isEnough = () => times.length >= requests
      await Promise.all(sockets.map((socket) => ask(socket, { next, isEnough, times })))
      return times
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function open(port) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
}

function ask(socket, { next, isEnough, times }) {
  return new Promise((resolve, reject) => {
    let asked = 0
    let answer = Buffer.alloc(0)
    const send = () => {
      answer = Buffer.alloc(0)
      asked = performance.now()
      socket.write(next())
    }
    const hear = (chunk) => {
      answer = answer.length === 0 ? chunk : Buffer.concat([answer, chunk])
      if (!answer.includes(END)) return refuseOther(answer)
      times.push(performance.now() - asked)
      if (!isEnough()) return send()
      socket.off('data', hear).off('error', reject).off('close', hungUp)
      resolve()
    }
    const hungUp = () => reject(new Error('the server hung up'))
    const refuseOther = (text) => {
      if (text.includes('\r\n\r\n') && !text.includes('HTTP/1.1 200'))
        reject(new Error(`not served: ${text.toString().slice(0, 300)}`))
    }
    socket.on('data', hear).on('error', reject).on('close', hungUp)
    send()
  })
}
