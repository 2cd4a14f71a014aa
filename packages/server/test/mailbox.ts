import type { Mailer } from '@mapae/server'
import { expect } from 'vitest'
import type { databases } from '../../../test-support/databases.ts'
import { someEmail, startFreshAuth, type TestAuth } from './start-auth.ts'

type Mail = Parameters<Mailer>[0]
type Options = NonNullable<Parameters<typeof startFreshAuth>[1]>

/** A mailer that keeps what it is given, and fails when it is told to. */
export function startMailbox() {
  const sent: Mail[] = []
  let obstacle: (() => unknown) | undefined
  return {
    sent,
    mailer: async (mail: Mail) => {
      if (obstacle) throw await obstacle()
      sent.push(mail)
    },
    /** From now on every mail fails with what this gives; without it mails go out again. */
    breakDown(reason?: () => unknown) {
      obstacle = reason
    },
  }
}

/** An auth server on an empty database of its own, with a mailbox for everybody. */
export async function startMailingAuth(database: (typeof databases)[number], overrides: Options = {}) {
  const mailbox = startMailbox()
  const server = await startFreshAuth(database, { mailer: mailbox.mailer, ...overrides })
  return { ...server, mailbox, ...readersOf(server, mailbox) }
}

export type MailingAuth = Awaited<ReturnType<typeof startMailingAuth>>

function readersOf(server: TestAuth, { sent }: ReturnType<typeof startMailbox>) {
  /** The mails to an address since it was last asked for, once the queue is empty. */
  const mailsTo = async (email: string): Promise<readonly Mail[]> => {
    await server.auth.api.sendMails()
    const mine = sent.filter(({ to }) => to === email)
    for (const mail of mine) sent.splice(sent.indexOf(mail), 1)
    return mine
  }
  return {
    mailsTo,
    /** The code of the one mail with a link of this path that came to an address. */
    async codeTo(email: string, path: string): Promise<string> {
      const codes = (await mailsTo(email)).flatMap((mail) => codeIn(mail, path) ?? [])
      expect(codes, `mails with ${path} to ${email}`).toHaveLength(1)
      return codes[0] ?? ''
    },
    /** A person whose registration was answered and whose mails were read. */
    async person(body: Readonly<Record<string, unknown>> = {}) {
      const email = someEmail()
      const { json } = await server.register({ email, ...body })
      const [mail] = await mailsTo(email)
      return { ...json, email, verification: mail && codeIn(mail, '/verify-email') }
    },
  }
}

/** The code in a mail's link to a page of ours; the link begins with the configured url. */
export function codeIn({ text }: Mail, path: string): string | undefined {
  return new RegExp(`^https://auth\\.example\\.com${path}\\?code=([A-Za-z0-9_-]{43})$`, 'm').exec(text)?.[1]
}
