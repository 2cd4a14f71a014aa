import type { Answer } from '../start-auth.ts'
import { accessFault } from './access.ts'
import { clockOf, type Replica, settings } from './arena.ts'
import { witnessBound } from './bound-history.ts'
import { noteLogout, witness } from './history.ts'
import {
  type Expected,
  givenOut,
  type Judgement,
  judge,
  loggedOut,
  type Presented,
  type Row,
} from './rules.ts'
import { readRow, sameRow } from './stored.ts'
import { answerInWords, disagreement, expectedInWords, requestInWords } from './words.ts'
import { generationOf, idempotencyKey, type Message, type Party, type Session, type World } from './world.ts'

/** What becomes of an answer. */
export const fates = ['arrives', 'is lost', 'is late'] as const
export type Fate = (typeof fates)[number]

export type Delivery =
  | {
      readonly type: 'renewal'
      readonly message: Message
      readonly replica: Replica
      readonly fate: Fate
      /** Sent long ago. */
      readonly again?: boolean
    }
  | { readonly type: 'logout'; readonly by: Party; readonly replica: Replica }

/**
 * Lets requests reach the servers, all at once, and judges the answers: there must be an order in which the
 * model gives every one of them. `meanwhile` happens while they are under way, and may take a server down:
 * a request that is then answered 503 was either done or not. Resolves to the answers, in the order of the requests.
 */
export async function deliver(
  world: World,
  deliveries: readonly Delivery[],
  meanwhile?: { readonly words: string; readonly work: () => Promise<void> },
): Promise<readonly Answer[]> {
  const answering = Promise.all(deliveries.map((delivery) => arrive(world, delivery)))
  await meanwhile?.work()
  const arrivals = (await answering).map((arrival) => ({
    ...arrival,
    doubtful: meanwhile !== undefined && arrival.answer.status === 503,
  }))
  world.trace.push(story(arrivals, meanwhile?.words))

  for (const session of new Set(arrivals.map(sessionOf))) {
    const its = arrivals.filter((arrival) => sessionOf(arrival) === session)
    await judgeSession(world, session, its)
  }
  for (const { delivery, answer, at } of arrivals) {
    if (delivery.type === 'logout' || delivery.fate === 'is lost') continue
    if (delivery.fate === 'arrives') receive(delivery.message, answer, at)
    else world.underWay.push({ message: delivery.message, answer, at })
  }
  return arrivals.map(({ answer }) => answer)
}

/** What a client does with an answer: it keeps it only if its store still holds what the request was made of. */
export function receive({ by, pair, attempt, spoil }: Message, answer: Answer, at: number): void {
  if (spoil) return
  const { store } = by
  const nonce = answer.headers.get('dpop-nonce')
  if (nonce !== null) store.nonce = { value: nonce, at }
  if (answer.status === 200) {
    if (store.pair.refresh !== pair.refresh) return
    const { access_token: access, refresh_token: refresh } = answer.json
    if (refresh !== pair.refresh || store.pending === attempt) store.pending = undefined
    if (refresh !== pair.refresh) store.broughtBy = attempt
    store.pair = { access, refresh }
  } else if (answer.json.code === 'session_ended') by.loggedOut = answer.json.end_reason
}

interface Arrival {
  readonly delivery: Delivery
  readonly at: number
  readonly answer: Answer
  /** The server went down under the request, and nobody can tell whether it was done. */
  readonly doubtful: boolean
}

async function arrive({ arena, heard }: World, delivery: Delivery): Promise<Omit<Arrival, 'doubtful'>> {
  const at = clockOf(arena, delivery.replica)
  const { call } = delivery.replica
  if (delivery.type === 'logout') {
    const body = { refresh_token: delivery.by.store.pair.refresh }
    const answer = await call('POST', '/auth/logout', { body })
    return { delivery, at, answer }
  }
  const { pair, attempt, proof, scheme } = delivery.message
  if (proof) heard.set(proof.name, (heard.get(proof.name) ?? 0) + 1)
  const answer = await call('POST', '/auth/refresh', {
    body: { refresh_token: pair.refresh },
    headers: {
      ...(pair.access !== undefined && { authorization: `${scheme} ${pair.access}` }),
      ...(attempt !== undefined && { 'idempotency-key': idempotencyKey(attempt) }),
      ...(proof && { dpop: await proof.jwt }),
    },
  })
  return { delivery, at, answer }
}

/** Finds the order in which the model agrees, and takes over what it says of the session. */
async function judgeSession(world: World, session: Session, arrivals: readonly Arrival[]): Promise<void> {
  const doubted = arrivals.some(({ doubtful }) => doubtful)
  if (arrivals.length > 1) world.raced = true
  if (doubted) world.doubted = true

  const possible = explanations(session, session.row, arrivals)
  const stored = arrivals.length > 1 || doubted ? await readRow(world, session) : undefined
  const explained = possible.find(({ row }) => !stored || sameRow(stored, row))
  if (!explained) throw await disagreement(world, session, whyNot(session, arrivals, possible.length > 0))

  session.row = explained.row
  for (const { arrival, judgement } of explained.steps) {
    const { delivery, at, answer } = arrival
    if (delivery.type === 'logout') noteLogout(session, arrival)
    else if (judgement) {
      world.decided.set(judgement.rule, (world.decided.get(judgement.rule) ?? 0) + 1)
      session.events.push(...judgement.events)
      const broken = arrival.doubtful
        ? undefined
        : ((session.device ? witnessBound : witness)(world, { message: delivery.message, at, answer }) ??
          (await accessFault({ message: delivery.message, replica: delivery.replica, at, answer })))
      if (broken) throw await disagreement(world, session, [broken])
    }
  }
}

interface Explanation {
  readonly row: Row
  readonly steps: readonly { readonly arrival: Arrival; readonly judgement: Judgement | undefined }[]
}

/** Every way to put the requests in an order that gives the answers that were given. */
function explanations(session: Session, row: Row, arrivals: readonly Arrival[]): Explanation[] {
  if (arrivals.length === 0) return [{ row, steps: [] }]
  return arrivals.flatMap((arrival, index) => {
    const others = arrivals.toSpliced(index, 1)
    return nextRows(session, row, arrival).flatMap(({ next, judgement }) =>
      explanations(session, next, others).map((rest) => ({
        row: rest.row,
        steps: [{ arrival, judgement }, ...rest.steps],
      })),
    )
  })
}

/** What the row may be after a request that got this answer; nothing when the model gives another one. */
function nextRows(
  session: Session,
  row: Row,
  arrival: Arrival,
): { readonly next: Row; readonly judgement: Judgement | undefined }[] {
  const untouched = arrival.doubtful ? [{ next: row, judgement: undefined }] : []
  const { delivery, at, answer } = arrival
  if (delivery.type === 'logout') {
    const fits = arrival.doubtful || answer.status === 204
    return fits ? [{ next: loggedOut(row), judgement: undefined }, ...untouched] : []
  }
  const judgement = judge(row, presented(delivery, at), settings)
  const { next } = judgement
  if (arrival.doubtful) return [{ next, judgement }, ...proofUsed(row, next), ...untouched]
  if (!matches(session, judgement.answer, answer)) return []
  const given = answer.status === 200 ? answer.json.refresh_token : undefined
  const makes = delivery.replica.dials.makes
  return [{ next: given === undefined ? next : givenOut(next, given, makes), judgement }]
}

/** A server that went down may have written down the proof, and nothing else. */
function proofUsed(row: Row, { bound }: Row): { readonly next: Row; readonly judgement: undefined }[] {
  return bound ? [{ next: { ...row, bound }, judgement: undefined }] : []
}

function presented({ message, replica }: Delivery & { type: 'renewal' }, at: number): Presented {
  const { by, pair, generation, attempt, spoil, scheme, proof } = message
  const access =
    spoil === 'without the access token'
      ? 'missing'
      : spoil === 'with an access token that was tampered with'
        ? 'not authentic'
        : spoil === 'with an access token of another session'
          ? 'of another session'
          : 'of the session'
  const madeUp =
    spoil === 'with a secret that was made up' ||
    spoil === 'with the next generation written before the old secret'
  return {
    access,
    refresh: madeUp ? 'made up' : 'authentic',
    token: pair.refresh,
    generation,
    attempt,
    at,
    makes: replica.dials.makes,
    scheme,
    proof: proof && {
      name: proof.name,
      fits: proof.jkt === by.session.device?.jkt && !proof.isForAnother,
      nonceOf: proof.nonce?.at,
    },
  }
}

function matches(session: Session, expected: Expected, answer: Answer): boolean {
  if (answer.status !== expected.status) return false
  const { code, end_reason, refresh_token, session_id } = answer.json
  if (expected.status !== 200) return code === expected.code && end_reason === expected.endReason
  const sameToken = expected.token === undefined || expected.token === refresh_token
  return session_id === session.sid && generationOf(refresh_token) === expected.generation && sameToken
}

function sessionOf({ delivery }: Arrival): Session {
  return delivery.type === 'logout' ? delivery.by.session : delivery.message.by.session
}

function story(arrivals: readonly Arrival[], meanwhile: string | undefined): string {
  const lines = arrivals.map(({ delivery, answer }) => {
    const fate =
      delivery.type === 'renewal' && delivery.fate !== 'arrives' ? `; the answer ${delivery.fate}` : ''
    return `${requestInWords(delivery)} → ${answerInWords(answer)}${fate}`
  })
  if (meanwhile !== undefined) lines.push(meanwhile)
  const [only] = lines
  return lines.length === 1 && only !== undefined
    ? only
    : `at once:\n${lines.map((line) => `      ${line}`).join('\n')}`
}

function whyNot(session: Session, arrivals: readonly Arrival[], answersFit: boolean): string[] {
  if (answersFit) return ['the answers are right, and the row is not what the model says it is']
  const [only] = arrivals
  if (arrivals.length > 1 || only?.delivery.type !== 'renewal')
    return ['there is no order in which the model gives these answers']
  const { rule, answer } = judge(session.row, presented(only.delivery, only.at), settings)
  return [`expected: ${expectedInWords(answer)} (row ${rule})`, `answered: ${answerInWords(only.answer)}`]
}
