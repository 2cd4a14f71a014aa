import { once } from 'node:events'
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type RunningServer, startServer, temporaryFolder } from './mapae.ts'

const PASSWORD = 'correct horse battery'

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('lets a request whose body is still coming finish, refuses new ones, and exits with 0', async () => {
    const server = await start()
    const slow = await beginRegistration(server)
    server.child.kill(signal)
    await untilRefused(server)
    expect(server.child.exitCode).toBe(null)
    slow.end()
    const response = await slow.answer
    expect(response.statusCode).toBe(201)
    expect(response.headers.connection).toBe('close')
    expect(JSON.parse(await textOf(response)).user.email).toBe('slow@example.com')
    expect(await server.ended).toMatchObject({ code: 0, signal: null })
  })

  test('lets logins whose passwords are being hashed finish', async () => {
    const server = await start()
    await post(server, '/auth/register', { email: 'me@example.com', password: PASSWORD })
    const login = { email: 'me@example.com', password: PASSWORD }
    const logins = await Promise.all(Array.from({ length: 8 }, () => begin(server, '/auth/login', login)))
    for (const { end } of logins) end()
    await post(server, '/auth/login', {}) // what came before it has been read
    server.child.kill(signal)
    const answers = await Promise.all(logins.map(({ answer }) => answer))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(answers.map(() => 200))
    for (const answer of answers) answer.resume()
    expect(await server.ended).toMatchObject({ code: 0, signal: null })
  })

  test('once more ends at once', async () => {
    const server = await start()
    const slow = await beginRegistration(server)
    slow.answer.catch(() => {})
    server.child.kill(signal)
    await untilRefused(server)
    await sleep(600) // sooner it would be the same Ctrl-C, passed on by npm
    expect(server.printed.stderr).toBe('Finishing the requests under way; once more ends at once.\n')
    server.child.kill(signal)
    expect(await server.ended).toMatchObject({ code: signal === 'SIGINT' ? 130 : 143, signal: null })
  })
})

describe('what does not hold up the end', () => {
  test('idle connections that are kept alive, and new ones on which nothing has come', async () => {
    const server = await start()
    const idle = await openSocket(server)
    idle.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(idle, 'data')
    const silent = await openSocket(server)
    const ends = [once(idle, 'close'), once(silent, 'close')]
    expect(await timeToEnd(server)).toBeLessThan(2000)
    await Promise.all(ends)
  })

  test('a client that asks again and again on one connection; each answer that it gets is whole', async () => {
    const server = await start()
    const socket = await openSocket(server)
    socket.setEncoding('utf8')
    let answers = ''
    let asked = 0
    const ask = () => {
      asked++
      socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
    }
    socket.on('data', (text: string) => {
      answers += text
      if (text.includes('{"status":"ok"}')) ask()
    })
    socket.on('error', () => {})
    ask()
    while (asked < 50) await sleep(5)
    expect(await timeToEnd(server)).toBeLessThan(2000)
    expect(answers.trimEnd().endsWith('{"status":"ok"}')).toBe(true)
  })

  test('a terminal or log that nobody reads any more', async () => {
    const server = await start()
    const slow = await beginRegistration(server)
    server.child.stdout.destroy()
    server.child.stderr.destroy()
    server.child.kill('SIGTERM')
    await untilRefused(server)
    await sleep(500) // by then it has tried to say that it waits
    slow.end()
    expect((await slow.answer).statusCode).toBe(201)
    expect(await server.ended).toMatchObject({ code: 0, signal: null })
  })
})

test('a port is free again as soon as the server has ended', async () => {
  const server = await start()
  server.child.kill('SIGTERM')
  await server.ended
  const again = await startServer(['--data', await temporaryFolder(), '--port', String(server.port)])
  expect(again.port).toBe(server.port)
})

async function start(): Promise<RunningServer> {
  return startServer(['--data', await temporaryFolder()])
}

async function timeToEnd(server: RunningServer): Promise<number> {
  const since = performance.now()
  server.child.kill('SIGTERM')
  expect(await server.ended).toMatchObject({ code: 0, signal: null })
  return performance.now() - since
}

const beginRegistration = (server: RunningServer) =>
  begin(server, '/auth/register', { email: 'slow@example.com', password: PASSWORD })

/** A request of which the server has all but the last bytes of its body. */
async function begin(
  server: RunningServer,
  path: string,
  content: unknown,
): Promise<{ readonly answer: Promise<IncomingMessage>; end(): void }> {
  const body = JSON.stringify(content)
  const agent = new Agent({ keepAlive: true })
  const sending: ClientRequest = request(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': body.length },
    agent,
  })
  onTestFinished(() => agent.destroy())
  const answer = once(sending, 'response').then(([response]: IncomingMessage[]) => {
    if (!response) throw new Error('no answer')
    return response
  })
  await new Promise((sent) => sending.write(body.slice(0, 10), sent))
  await post(server, '/auth/login', {}) // a whole request later, the first part of this one has been read
  return { answer, end: () => void sending.end(body.slice(10)) }
}

async function untilRefused(server: RunningServer): Promise<void> {
  for (;;) {
    try {
      const socket = await openSocket(server)
      socket.destroy()
      await sleep(10)
    } catch {
      return
    }
  }
}

async function openSocket({ port }: RunningServer): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

function post(server: RunningServer, path: string, body: unknown): Promise<Response> {
  return fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify(body),
  })
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return text
}
