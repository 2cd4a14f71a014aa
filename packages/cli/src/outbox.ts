import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mailer } from '@mapae/server'
import type { Io } from './io.ts'
import { paintFor } from './paint.ts'
import { printable } from './printable.ts'

/**
 * A mailer for development: each mail is shown in the terminal and kept as a file that this user alone can read. There
 * is no page of them: it would hand live codes to every user of the machine, and to whatever forwards its port.
 */
export function outboxMailer(folder: string, io: Io): Mailer {
  return async (mail) => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const moment = new Date(io.clock()).toISOString().replaceAll(/[:.]/g, '-')
    const file = join(folder, `${moment}-${randomBytes(3).toString('hex')}.txt`)
    await writeFile(file, `To: ${mail.to}\nSubject: ${mail.subject}\n\n${mail.text}`, {
      mode: 0o600,
      flag: 'wx',
    })
    io.stdout.write(shown(mail, file, io))
  }
}

function shown({ to, subject, text }: Parameters<Mailer>[0], file: string, io: Io): string {
  const paint = paintFor(io.stdout, io)
  const lines = text.trimEnd().split('\n').map(printable)
  return [
    '',
    `✉ ${paint.bold(printable(subject))} ${paint.dim(`to ${printable(to)}`)}`,
    ...lines.map((line) => `  ${line.startsWith('http') ? paint.accent(line) : line}`),
    `  ${paint.dim(`kept in ${file}; set MAPAE_SMTP_URL to send mails`)}`,
    '',
    '',
  ].join('\n')
}
