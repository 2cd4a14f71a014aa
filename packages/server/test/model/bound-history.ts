import { settings } from './arena.ts'
import { type Answered, hasExpired, reasonOf } from './history.ts'
import { NONCE_PERIOD, REMEMBERED_LONGER } from './rules.ts'
import type { World } from './world.ts'

/**
 * The promises about a session that is bound to a key, judged by the answers alone: adds an answer to the history of its
 * session, and says which promise it breaks, if any. Nothing but a logout and the ends excuses anything here: copied
 * tokens do no harm.
 */
export function witnessBound(world: World, answered: Answered): string | undefined {
  const { message, answer } = answered
  if (message.spoil) return answer.status === 200 ? `a request ${message.spoil} was given tokens` : undefined
  const broken =
    thiefServed(answered) ??
    honestRefused(world, answered) ??
    proofUsedTwice(world, answered) ??
    otherToken(answered) ??
    endForgotten(world, answered)
  write(answered)
  return broken
}

/** B1: who has no key gets no token, and does not hear why the session ended. */
function thiefServed({ message, answer }: Answered): string | undefined {
  if (message.by.honest) return undefined
  if (answer.status === 200) return `${message.by.name} has not the key, and was given tokens`
  return reasonOf(answer) && `${message.by.name} has not the key, and was told why the session ended`
}

/** B2: a client with the key is never logged out, and never refused but for a copy of a request, or asked for a nonce in vain. */
function honestRefused(world: World, { message, at, answer }: Answered): string | undefined {
  const { by, proof } = message
  const { history, excuses } = by.session
  if (!by.honest || answer.status === 200) return undefined
  if (answer.json.code === 'use_dpop_nonce') {
    const isNew = proof?.nonce !== undefined && Math.abs(at - proof.nonce.at) < NONCE_PERIOD
    return isNew
      ? `${by.name} was asked for a newer nonce than that of ${at - proof.nonce.at} ms ago`
      : undefined
  }
  const heard = world.heard.get(proof?.name ?? '') ?? 0
  if (answer.json.code === 'invalid_dpop_proof' && heard > 1) return undefined
  if (reasonOf(answer) !== undefined && (hasExpired(history, at) || excuses.size > 0)) return undefined
  return `${by.name} has the key, and was refused with ${answer.json.code}`
}

/** B3: a proof is good once, over all replicas, unless clocks are set back by more than it is remembered longer than good. */
function proofUsedTwice({ setBack }: World, { message, answer }: Answered): string | undefined {
  if (setBack > REMEMBERED_LONGER) return undefined
  const { proof, by } = message
  const isUsed = answer.status === 200 && proof !== undefined && by.session.history.proofs.has(proof.name)
  return isUsed ? `the proof ${proof.name} was good twice` : undefined
}

/** B4: the same refresh token comes back, as the secret of the replica makes it. */
function otherToken({ message, answer }: Answered): string | undefined {
  if (answer.status !== 200) return undefined
  const token = answer.json.refresh_token
  const known = message.by.session.history.spellings.get(secretOf(token))
  return known === undefined || known === token ? undefined : 'the session has two refresh tokens'
}

/** B5: what ended for a reason stays ended, for that reason. */
function endForgotten(world: World, { message, answer }: Answered): string | undefined {
  const { endedFor } = message.by.session.history
  const told = answer.status === 200 ? 'with tokens' : reasonOf(answer)
  if (endedFor === undefined || told === undefined || told === endedFor || world.restores > 0)
    return undefined
  return `the session had ended (${endedFor}), and the answer was another`
}

function write({ message, at, answer }: Answered): void {
  const { history } = message.by.session
  if (reasonOf(answer) === 'logout') history.endedFor = 'logout'
  if (answer.status !== 200) return
  const token = answer.json.refresh_token
  history.spellings.set(secretOf(token), token)
  if (message.proof) history.proofs.add(message.proof.name)
  history.idleEndsAt = Math.min(history.endsAt, at + settings.idleLifetime)
}

/** The name of the server secret that made a refresh token. */
function secretOf(refreshToken: string): string {
  return refreshToken.split('.')[0] ?? ''
}
