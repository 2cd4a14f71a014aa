import type { Answer } from '../start-auth.ts'
import { settings } from './arena.ts'
import { generationOf, type Message, type Session, type World } from './world.ts'

/**
 * What the answers of one session tell, without the model: who was given what, when. Moments are of the
 * clock of the replica that answered.
 */
export interface History {
  /** The refresh token of each generation. */
  readonly tokens: Map<number, string>
  /** Who was first to get a generation's successor. */
  readonly spent: Map<
    number,
    { readonly by: string; readonly attempt: string | undefined; readonly at: number }
  >
  newest: number
  rotatedAt: number
  readonly endsAt: number
  idleEndsAt: number
  /** The reason that stays, once somebody was told it. */
  endedFor: string | undefined
  /** Of a session that is bound to a key: the proofs that tokens were given for. */
  readonly proofs: Set<string>
  /** And its one refresh token, as each server secret makes it. */
  readonly spellings: Map<string, string>
}

export function beginHistory(refreshToken: string, at: number): History {
  return {
    tokens: new Map([[1, refreshToken]]),
    spent: new Map(),
    newest: 1,
    rotatedAt: at,
    endsAt: at + settings.lifetime,
    idleEndsAt: at + settings.idleLifetime,
    endedFor: undefined,
    proofs: new Set(),
    spellings: new Map(),
  }
}

/** An answered renewal. `at` is the clock of the replica when the request arrived there. */
export interface Answered {
  readonly message: Message
  readonly at: number
  readonly answer: Answer
}

/**
 * Adds an answer to the history of its session, and says which promise it breaks, if any. These are the
 * promises made to people, and they are judged by the answers alone; the table is another matter (rules.ts).
 */
export function witness(world: World, answered: Answered): string | undefined {
  const { message, answer } = answered
  if (message.spoil) return answer.status === 200 ? `a request ${message.spoil} was given tokens` : undefined
  noteExcuses(world, answered)
  const broken =
    theftUnseen(world, answered) ??
    honestRefused(world, answered) ??
    secondSuccessor(world, answered) ??
    endForgotten(world, answered)
  write(answered)
  return broken
}

/** Somebody logged out: the session has ended, for that reason if for none before; or may have. */
export function noteLogout({ history, excuses }: Session, { doubtful }: { doubtful: boolean }): void {
  excuses.add('somebody logged out')
  if (!doubtful) history.endedFor ??= 'logout'
}

/** What the rules cannot forgive, and the threat model says so: then, and only then, honest people lose a session. */
function noteExcuses(world: World, { message, at }: Answered): void {
  const { history, excuses } = message.by.session
  const behind = history.newest - message.generation
  const late = at - history.rotatedAt >= settings.reuseInterval
  const broughtIt = history.spent.get(message.generation - 1)?.attempt
  const usedTwice = message.attempt !== undefined && message.attempt === broughtIt

  if (behind >= 3) excuses.add('a request arrived when three newer generations were there')
  if (message.attempt === undefined && (behind === 2 || (behind === 1 && late)))
    excuses.add('a request without an attempt id arrived after the reuse interval')
  if (message.restores < world.restores && behind > 0)
    excuses.add('an old request from before the restored backup arrived')
  if (usedTwice && (late || behind > 1)) excuses.add('an attempt id was used twice')
}

/** I4 and I8: a token that somebody else has spent, over a reuse interval ago, ends the session and brings nothing. */
function theftUnseen(world: World, { message, at, answer }: Answered): string | undefined {
  const { history } = message.by.session
  const spent = history.spent.get(message.generation)
  if (!spent || spent.by === message.by.name || world.doubted) return undefined
  if (message.attempt !== undefined && message.attempt === spent.attempt) return undefined
  if (at - spent.at < settings.reuseInterval) return undefined

  const told = reasonOf(answer)
  if (answer.status === 200)
    return `${message.by.name} was given tokens for one that ${spent.by} spent long ago`
  if (told === undefined)
    return `two parties presented generation ${message.generation}, and the session lives`
  const over = history.endedFor !== undefined || hasExpired(history, at)
  return over || told === 'refresh_token_reuse' ? undefined : `a theft ended the session as ${told}`
}

/** I1 and I2: nobody honest is logged out, or left with a token that is no use. */
function honestRefused(world: World, { message, at, answer }: Answered): string | undefined {
  const { by } = message
  const { history, excuses } = by.session
  if (!by.honest || answer.status === 200 || excuses.size > 0) return undefined
  if (answer.json.code === 'refresh_superseded') {
    if (by.store.pair.refresh !== message.pair.refresh) return undefined
    return `${by.name} was told that there is something newer, and has nothing newer`
  }
  if (reasonOf(answer) !== undefined && (hasExpired(history, at) || world.doubted)) return undefined
  // A server that went down may have made a generation again that a backup had forgotten, with another secret.
  if (answer.json.code === 'invalid_grant' && world.restores > 0 && world.doubted) return undefined
  return `${by.name} is honest, and was refused with ${answer.json.code}`
}

/** I3: a generation has one successor. A restored backup and a changed secret may make another. */
function secondSuccessor(world: World, { message, answer }: Answered): string | undefined {
  if (answer.status !== 200) return undefined
  const token = answer.json.refresh_token
  const generation = generationOf(token)
  const known = message.by.session.history.tokens.get(generation)
  if (generation - message.generation !== 1 && token !== message.pair.refresh)
    return `generation ${message.generation} was answered with generation ${generation}`
  if (known === undefined || known === token || world.restores > 0) return undefined
  return `generation ${generation} has two tokens`
}

/** What ended for a reason stays ended, for that reason. */
function endForgotten(world: World, { message, answer }: Answered): string | undefined {
  const { endedFor } = message.by.session.history
  if (endedFor === undefined || reasonOf(answer) === endedFor || world.restores > 0) return undefined
  return `the session had ended (${endedFor}), and that was not the answer`
}

function write({ message, at, answer }: Answered): void {
  const { history, excuses } = message.by.session
  const reason = reasonOf(answer)
  if (reason === 'logout' || reason === 'refresh_token_reuse') history.endedFor = reason
  if (answer.status !== 200) return
  const token = answer.json.refresh_token
  const generation = generationOf(token)
  const known = history.tokens.get(generation)
  if (known !== undefined && known !== token)
    excuses.add('a generation was made twice, before and after a backup')
  history.tokens.set(generation, token)
  if (generation <= history.newest) return
  history.newest = generation
  history.rotatedAt = at
  history.idleEndsAt = Math.min(history.endsAt, at + settings.idleLifetime)
  history.spent.set(message.generation, { by: message.by.name, attempt: message.attempt, at })
}

export function hasExpired({ endsAt, idleEndsAt }: History, at: number): boolean {
  return at >= endsAt || at >= idleEndsAt
}

export function reasonOf(answer: Answer): string | undefined {
  return answer.json.code === 'session_ended' ? answer.json.end_reason : undefined
}
