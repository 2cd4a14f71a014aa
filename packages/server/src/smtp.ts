import { rootCertificates } from 'node:tls'
import { isLoopback } from '@mapae/guard/http'
import nodemailer from 'nodemailer'
import { AuthError } from './auth-error.ts'
import type { Mailer } from './options.ts'

export interface SmtpOptions {
  /**
   * `smtps://user:password@host` (TLS from the start, port 465) or `smtp://…` (STARTTLS, port 587). User and password
   * are percent-encoded.
   */
  readonly url: string
  /** Whom the mails come from: `auth@example.com` or `Example <auth@example.com>`. */
  readonly from: string
  /** Certificates, as PEM, to trust beside those that Node knows. @default none */
  readonly ca?: string
  /** Send to other machines without TLS when the server offers none: codes can be read on the way. @default false */
  readonly dangerouslyAllowPlaintext?: boolean
}

/** Milliseconds. Together they stay below what a sender of the queue waits for one mail. */
const TIMEOUTS = { dnsTimeout: 5000, connectionTimeout: 8000, greetingTimeout: 8000, socketTimeout: 10_000 }

/**
 * A mailer that hands each mail to an SMTP server (RFC 5321), over a connection of its own. Other machines are
 * spoken to in TLS alone, with a certificate that holds for them. What the server refuses for good (5yz, of the
 * addressee or the message) rejects with `permanent: true`.
 *
 * Throws `AuthError` `options_invalid` for a url or a sender that cannot be.
 */
export function createSmtpMailer({ url, from, ca, dangerouslyAllowPlaintext = false }: SmtpOptions): Mailer {
  const server = readUrl(url)
  const transport = nodemailer.createTransport({
    host: server.hostname.replace(/^\[|\]$/g, ''),
    ...(server.port !== '' && { port: Number(server.port) }),
    secure: server.protocol === 'smtps:',
    ...startTls(server, dangerouslyAllowPlaintext),
    ...(ca !== undefined && { tls: { ca: [...rootCertificates, ca] } }),
    ...(server.username !== '' && { auth: credentialsOf(server) }),
    ...TIMEOUTS,
  })
  const sender = readSender(from)

  return async ({ to, subject, text }) => {
    try {
      await transport.sendMail({
        from: sender,
        // An object is one address; a text would be read as a list of them.
        to: { name: '', address: to },
        subject,
        text,
        // RFC 3834 §5: nobody's holiday notice answers this.
        headers: { 'Auto-Submitted': 'auto-generated' },
        disableFileAccess: true,
        disableUrlAccess: true,
      })
    } catch (thrown) {
      throw Object.assign(thrown instanceof Error ? thrown : new Error(), { permanent: isPermanent(thrown) })
    }
  }
}

/** What leaves no machine needs none; whether a certificate holds is checked wherever there is one. */
function startTls(
  { hostname }: URL,
  dangerouslyAllowPlaintext: boolean,
): { ignoreTLS?: true; opportunisticTLS?: true; requireTLS?: true } {
  if (isLoopback(hostname.toLowerCase())) return { ignoreTLS: true }
  return dangerouslyAllowPlaintext ? { opportunisticTLS: true } : { requireTLS: true }
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url?.hostname || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:'))
    throw bad('The SMTP url must be smtp://… or smtps://…')
  if (url.search || url.hash || !/^\/?$/.test(url.pathname))
    throw bad('The SMTP url has a user, a password, a host and a port, nothing more.')
  return url
}

function credentialsOf({ username, password }: URL): { user: string; pass: string } {
  try {
    return { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
  } catch {
    throw bad('User and password of the SMTP url must be percent-encoded.')
  }
}

const SENDER = /^(?:([^<>"\p{Cc}]*?)\s*<([^\s<>@,;"]+@[^\s<>@,;"]+)>|([^\s<>@,;"]+@[^\s<>@,;"]+))$/u

function readSender(from: string): { name: string; address: string } {
  const [, name = '', named, bare] = SENDER.exec(from.trim()) ?? []
  const address = named ?? bare
  if (!address) throw bad('The sender of mails must be name@example.com or Name <name@example.com>.')
  return { name, address }
}

/** RFC 5321 §4.2.1, of this mail: a failed login or a lost connection is about the server, and passes. */
function isPermanent(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false
  const [code, status] = [Reflect.get(thrown, 'code'), Number(Reflect.get(thrown, 'responseCode'))]
  return (code === 'EENVELOPE' || code === 'EMESSAGE') && status >= 500 && status !== 503
}

function bad(problem: string): AuthError {
  return new AuthError('options_invalid', problem)
}
