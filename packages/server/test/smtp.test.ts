import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { AuthError } from '@mapae/server'
import { createSmtpMailer, type SmtpOptions } from '@mapae/server/smtp'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { describe, expect, onTestFinished, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { cert, key } from './smtp-certificate.ts'
import { someEmail, startFreshAuth } from './start-auth.ts'

const FROM = 'Mapae <auth@example.com>'
const MAIL = {
  to: 'me@example.com',
  subject: '비밀번호 재설정',
  text: 'https://auth.example.com/x?code=abc\n안녕',
}

interface Received {
  readonly from: string
  readonly to: readonly string[]
  readonly secure: boolean
  readonly user: string | undefined
  readonly message: string
}

/** A real SMTP server on this machine, and what it was sent. */
async function startSmtp(options: SMTPServerOptions = {}) {
  const received: Received[] = []
  const server = new SMTPServer({
    key,
    cert,
    authOptional: true,
    onAuth: ({ username, password }, _session, callback) =>
      password === 'p@ss word' ? callback(null, { user: username }) : callback(new Error('Invalid login')),
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        received.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          secure: session.secure,
          user: session.user === undefined ? undefined : String(session.user),
          message: Buffer.concat(chunks).toString(),
        })
        callback()
      })
    },
    ...options,
  })
  server.on('error', () => {})
  const listening = server.listen(0)
  await once(listening, 'listening')
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const address = listening.address()
  if (typeof address !== 'object' || !address) throw new Error('no port')
  return { received, port: address.port }
}

const mailerTo = (url: string, options: Partial<SmtpOptions> = {}) =>
  createSmtpMailer({ url, from: FROM, ...options })

/** The same machine by a name that says nothing of loopback. */
const elsewhere = (port: number) => `[::ffff:127.0.0.1]:${port}`

describe('mail by SMTP', () => {
  test('hands over a message with a sender, an addressee, a subject and a text in any script', async () => {
    const { received, port } = await startSmtp({ disabledCommands: ['STARTTLS'] })
    await mailerTo(`smtp://localhost:${port}`)(MAIL)
    expect(received).toMatchObject([{ from: 'auth@example.com', to: ['me@example.com'], user: undefined }])
    const { message = '' } = received[0] ?? {}
    const [head = '', body = ''] = message.split('\r\n\r\n')
    expect(head).toMatch(/^From: Mapae <auth@example\.com>$/m)
    expect(head).toMatch(/^To: me@example\.com$/m)
    expect(head).toMatch(/^Auto-Submitted: auto-generated$/m)
    const subject = /^Subject: =\?UTF-8\?B\?(.+)\?=$/m.exec(head)?.[1] ?? ''
    expect(Buffer.from(subject, 'base64').toString()).toBe(MAIL.subject)
    expect(head).toMatch(/^Content-Transfer-Encoding: (base64|quoted-printable)$/m)
    expect(body).not.toBe('')
  })

  test('logs in with what the url says, percent-encoded', async () => {
    const { received, port } = await startSmtp({ secure: true, authOptional: false })
    const mailer = mailerTo(`smtps://me%40example.com:p%40ss%20word@localhost:${port}`, { ca: cert })
    await mailer(MAIL)
    expect(received).toMatchObject([{ user: 'me@example.com', secure: true }])
  })

  test('is not told that a mail can never be sent when the login is wrong', async () => {
    const { received, port } = await startSmtp({ secure: true, authOptional: false })
    const sending = mailerTo(`smtps://me:wrong@localhost:${port}`, { ca: cert })(MAIL)
    await expect(sending).rejects.toMatchObject({ code: 'EAUTH', responseCode: 535, permanent: false })
    expect(received).toEqual([])
  })

  test('to another machine goes through STARTTLS', async () => {
    const { received, port } = await startSmtp()
    await mailerTo(`smtp://${elsewhere(port)}`, { ca: cert })(MAIL)
    expect(received).toMatchObject([{ secure: true }])
  })

  test('to another machine that offers no TLS is not sent', async () => {
    const { received, port } = await startSmtp({ disabledCommands: ['STARTTLS'] })
    await expect(mailerTo(`smtp://${elsewhere(port)}`)(MAIL)).rejects.toMatchObject({ permanent: false })
    expect(received).toEqual([])
    await mailerTo(`smtp://${elsewhere(port)}`, { dangerouslyAllowPlaintext: true })(MAIL)
    expect(received).toMatchObject([{ secure: false }])
  })

  test('to a machine whose certificate nobody knows is not sent', async () => {
    const implicit = await startSmtp({ secure: true })
    await expect(mailerTo(`smtps://localhost:${implicit.port}`)(MAIL)).rejects.toMatchObject({
      permanent: false,
    })
    const upgraded = await startSmtp()
    await expect(mailerTo(`smtp://${elsewhere(upgraded.port)}`)(MAIL)).rejects.toMatchObject({
      permanent: false,
    })
    expect([...implicit.received, ...upgraded.received]).toEqual([])
  })

  test.each([
    { responseCode: 550, permanent: true },
    { responseCode: 452, permanent: false },
    { responseCode: 421, permanent: false },
  ])('tells what is refused for good from what may be tried again: $responseCode', async (expected) => {
    const { port } = await startSmtp({
      onRcptTo: (_address, _session, callback) =>
        callback(Object.assign(new Error('no'), { responseCode: expected.responseCode })),
    })
    await expect(mailerTo(`smtp://localhost:${port}`)(MAIL)).rejects.toMatchObject(expected)
  })

  test('that nobody takes is tried again', async () => {
    await expect(mailerTo('smtp://localhost:1')(MAIL)).rejects.toMatchObject({ permanent: false })
  })

  test('to a server that never says a word is given up', { timeout: 20_000 }, async () => {
    const sockets: Socket[] = []
    const mute = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
    await once(mute, 'listening')
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      mute.close()
    })
    const address = mute.address()
    if (typeof address !== 'object' || !address) throw new Error('no port')
    const started = performance.now()
    await expect(mailerTo(`smtp://127.0.0.1:${address.port}`)(MAIL)).rejects.toMatchObject({
      code: 'ETIMEDOUT',
      permanent: false,
    })
    expect(performance.now() - started).toBeLessThan(15_000)
  })

  test('has one addressee, whatever his address looks like', async () => {
    const { received, port } = await startSmtp()
    const mailer = mailerTo(`smtp://localhost:${port}`)
    for (const to of [
      'a@example.com, b@example.com',
      'Me <a@example.com>',
      'a@example.com\r\nRCPT TO:<b@example.com>',
    ])
      await mailer({ ...MAIL, to }).catch(() => {})
    for (const { to } of received) {
      expect(to).toHaveLength(1)
      expect(to).not.toContain('b@example.com')
    }
  })

  test('has no header fields but ours, whatever its subject says', async () => {
    const { received, port } = await startSmtp()
    await mailerTo(`smtp://localhost:${port}`)({ ...MAIL, subject: 'x\r\nBcc: b@example.com\r\n\r\nbody' })
    expect(received[0]?.to).toEqual(['me@example.com'])
    expect(received[0]?.message.split('\r\n\r\n')[0]).not.toMatch(/^Bcc/im)
  })

  test.each([
    'http://localhost',
    'localhost:25',
    'smtp://',
    'smtp://localhost/path',
    'smtps://localhost?tls.rejectUnauthorized=false',
    'smtp://localhost#x',
    'smtp://%ff:x@localhost',
    '',
  ])('does not take %j for a server', (url) => {
    expect(() => mailerTo(url)).toThrow(AuthError)
  })

  test.each(['', 'nobody', 'a@b, c@d', 'A <a@b', 'A\r\nBcc: x@y.z <a@b.cc>', '"A" <a@b.cc>'])(
    'does not take %j for a sender',
    (from) => {
      expect(() => mailerTo('smtp://localhost', { from })).toThrow(AuthError)
    },
  )
})

describe.each(databases)('an auth server with an SMTP server, on $name', (database) => {
  test('sends the code that resets a password', async () => {
    const { received, port } = await startSmtp()
    const server = await startFreshAuth(database, { mailer: mailerTo(`smtp://localhost:${port}`) })
    const email = someEmail()
    await server.register({ email })
    await server.call('POST', '/auth/password/forgot', { body: { email } })
    await server.auth.api.sendMails()
    expect(received.map(({ to }) => to)).toEqual([[email], [email]])
    const text = received[1]?.message.replaceAll('=\r\n', '').replaceAll('=3D', '=') ?? ''
    const code = /reset-password\?code=([\w-]{43})/.exec(text)?.[1]
    const body = { code, password: 'another horse battery' }
    expect((await server.call('POST', '/auth/password/reset', { body })).status).toBe(200)
  })
})
