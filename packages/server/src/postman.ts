import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from './context.ts'
import { letterData, plainLetters } from './letters.ts'
import { type Errand, type Letter, openMail, sealMail } from './mail-queue.ts'
import type { Mailer } from './options.ts'
import { type Keep, writeResetLetter } from './password-reset.ts'
import { writeRegistrationLetter } from './registration.ts'
import { deleteMail, type MailRecord, postponeMail, rewriteMail, takeDueMails } from './store/mails.ts'
import { StoreError } from './store/store-error.ts'

/**
 * Sends what waits in the mail queue. Any replica may: a mail is taken by one conditional statement, and whoever
 * takes it and fails, or is killed, leaves it to be taken again. So each is sent at least once, and tried until
 * it was sent, was refused for good, or is of no use any more.
 */
export interface Postman {
  /** Sends what is due, in the background. */
  wake(): void
  /** Sends what is due and resolves to how many mails were sent. */
  sendDue(): Promise<number>
  /** Looks for due mails from now on, also for those that others left. */
  start(): void
  /** Takes no more, and waits a little for what is under way. */
  stop(): Promise<void>
}

const AT_ONCE = 4
const LOOK_AGAIN = 15_000
/** Milliseconds that sending one mail may take; the taker's right to it ends later. */
const PATIENCE = 30_000
const TAKEN_FOR = 60_000
const LONGEST_PAUSE = 3_600_000
const GOODBYE = 5000

export function createPostman(ctx: Context): Postman {
  const { mailer } = ctx.settings
  let looking: ReturnType<typeof setInterval> | undefined
  let running: Promise<number> | undefined
  let asked = false
  let stopped = false

  return {
    wake,
    sendDue,
    start() {
      if (looking || stopped || !mailer) return
      looking = setInterval(wake, LOOK_AGAIN).unref()
      wake()
    },
    async stop() {
      stopped = true
      clearInterval(looking)
      await Promise.race([running?.catch(() => {}), sleep(GOODBYE, undefined, { ref: false })])
    },
  }

  function wake(): void {
    sendDue().catch((error: unknown) => ctx.emit({ type: 'error', at: ctx.clock(), error }))
  }

  /** One round at a time; who asks during one gets another. */
  function sendDue(): Promise<number> {
    asked = true
    running ??= rounds().finally(() => {
      running = undefined
    })
    return running
  }

  async function rounds(): Promise<number> {
    let sent = 0
    while (mailer && asked && !stopped) {
      asked = false
      const now = ctx.clock()
      const taken = await takeDueMails(ctx.store.db, { now, until: now + TAKEN_FOR, limit: AT_ONCE })
      const outcomes = await Promise.all(taken.map((mail) => deliver(ctx, mailer, mail)))
      sent += outcomes.filter(Boolean).length
      asked ||= taken.length > 0
    }
    return sent
  }
}

/** True: it was sent. */
async function deliver(ctx: Context, mailer: Mailer, mail: MailRecord): Promise<boolean> {
  if (mail.expiresAt <= ctx.clock()) return drop(ctx, mail, 'expired')
  try {
    const letter = await letterOf(ctx, mail)
    if (letter) await within(PATIENCE, mailer(written(ctx, letter)))
    await deleteMail(ctx.store.db, mail.id)
    return letter !== undefined
  } catch (thrown) {
    if (thrown instanceof StoreError) throw thrown
    return putBack(ctx, mail, thrown)
  }
}

/** The letter to send; an errand becomes one first, or nothing. */
async function letterOf(ctx: Context, { id, attempts, sealed }: MailRecord): Promise<Letter | undefined> {
  const mail = openMail(ctx, id, sealed)
  if (!mail) throw Object.assign(new Error('no secret opens the mail'), { code: 'UNKNOWN_SECRET' })
  if (mail.type === 'letter') return mail
  return runErrand(ctx, mail, async (db, letter, expiresAt) => {
    const kept = await rewriteMail(db, { id, attempts, sealed: sealMail(ctx, id, letter), expiresAt })
    if (!kept) throw new StoreError('conflict', 'another replica has taken the mail')
  })
}

function runErrand(ctx: Context, errand: Errand, keep: Keep): Promise<Letter | undefined> {
  switch (errand.errand) {
    case 'reset-password':
      return writeResetLetter(ctx, errand, keep)
    case 'register':
      return writeRegistrationLetter(ctx, errand, keep)
  }
}

function written(ctx: Context, letter: Letter): Parameters<Mailer>[0] {
  const letters = ctx.settings.letters ?? plainLetters
  const { subject, text } = letters(letterData(ctx.settings, letter))
  return { to: letter.to, subject: oneLine(subject), text }
}

/** A line break in a subject would begin another header field. */
function oneLine(subject: string): string {
  return subject.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
}

/** Tried again after 1, 2, 4 … 60 minutes; not when that is too late, or when it was refused for good. */
async function putBack(ctx: Context, mail: MailRecord, thrown: unknown): Promise<false> {
  const dueAt = ctx.clock() + Math.min(LONGEST_PAUSE, 60_000 * 2 ** (mail.attempts - 1))
  if (property(thrown, 'permanent') === true || dueAt >= mail.expiresAt)
    return drop(ctx, mail, reasonOf(thrown))
  await postponeMail(ctx.store.db, { ...mail, dueAt })
  const detail = { attempt: mail.attempts, reason: reasonOf(thrown) }
  ctx.emit({ type: 'mail.failed', at: ctx.clock(), detail })
  return false
}

async function drop(ctx: Context, mail: MailRecord, reason: string): Promise<false> {
  await deleteMail(ctx.store.db, mail.id)
  ctx.emit({ type: 'mail.dropped', at: ctx.clock(), detail: { attempt: mail.attempts, reason } })
  return false
}

/** An error's code and an SMTP server's: its message may name the addressee. */
function reasonOf(thrown: unknown): string {
  const codes = [property(thrown, 'code'), property(thrown, 'responseCode')]
  return codes.filter((code) => /^[A-Z0-9_]{1,40}$/.test(String(code ?? ''))).join(' ') || 'unknown'
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const done = new AbortController()
  const late = sleep(milliseconds, undefined, { ref: false, signal: done.signal }).then(() => {
    throw Object.assign(new Error('the mailer did not answer'), { code: 'ETIMEDOUT' })
  })
  try {
    return await Promise.race([work, late])
  } finally {
    late.catch(() => {})
    done.abort()
  }
}
