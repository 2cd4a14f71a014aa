import { setImmediate as nextTurn } from 'node:timers/promises'
import { decodeUnverified } from '@mapae/jwt'
import fc from 'fast-check'
import { startDevice } from '../../../../test-support/device.ts'
import { type Answer, URL_OF_AUTH } from '../start-auth.ts'
import { clockOf, closeServers, type Replica, restart } from './arena.ts'
import { type Delivery, deliver, fates, receive } from './deliver.ts'
import { prove } from './proof.ts'
import { endOf, endOfNonce, swept } from './rules.ts'
import { spoiled } from './spoil.ts'
import { answerInWords, disagreement, duration, requestInWords } from './words.ts'
import {
  boundSpoils,
  generationOf,
  type Message,
  type Party,
  type Session,
  spoils,
  type World,
} from './world.ts'

/** One thing that happens. fast-check makes lists of them, and shortens a list that shows a fault. */
export type Step = fc.AsyncCommand<World, World>

/** Lists of what can happen, each as often as it is worth. */
export function stories(): fc.Arbitrary<Iterable<Step>> {
  const anything = fc.oneof(
    happens(24, renews, renewal, canRenew),
    happens(6, arrivesAgain, repetition, hasSent),
    happens(6, happenAtOnce, crowd, crowdIsThere),
    happens(2, answerArrives, lateAnswer, answersAreUnderWay),
    happens(2, lateTabRenews, lateTab, hasBeenBrought),
    happens(1, isCopied, theft, fewThieves),
    happens(8, timePasses, wait),
    happens(2, endComes, lastMoment, endIsAhead),
    happens(2, clockSteps, clockStep),
    happens(2, goesDown, downfall),
    happens(1, keysRotate, newKey, keysWouldNotBeLost),
    happens(2, secretChanges, fc.record({ replica })),
    happens(2, isSwept, fc.record({ replica })),
    happens(1, logsOut, fc.record({ who, replica })),
    happens(2, isBackedUp, fc.constant({})),
    happens(3, isRestored, fc.constant({}), hasBackup),
    happens(2, triesSpoiled, fc.record({ who, replica, spoil: fc.nat(59) })),
    happens(1, usesAccessToken, fc.record({ who, replica })),
  )
  return fc.commands([anything], { maxCommands: 40, size: 'max' })
}

const who = fc.nat(5)
const replica = fc.nat(1)
const fate = fc.oneof({ weight: 5, arbitrary: fc.constant(fates[0]) }, fc.constantFrom(...fates))
const requestIsLate = fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.boolean())
const renewal = fc.record({ who, tab: fc.constantFrom('A', 'B', 'C'), replica, fate, requestIsLate })
const repetition = fc.record({ which: fc.nat(6), replica, fate })
const part = fc.oneof(
  { weight: 12, arbitrary: renewal.map((its) => ({ type: 'renewal' as const, ...its })) },
  { weight: 6, arbitrary: repetition.map((its) => ({ type: 'repetition' as const, ...its })) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('logout' as const), who, replica }) },
)
const crowd = fc.record({
  parts: fc.array(part, { minLength: 2, maxLength: 4 }),
  downfall: fc.option(fc.record({ replica, turns: fc.nat(6) }), { freq: 4 }),
})
const lateAnswer = fc.record({ which: fc.nat(3) })
const lateTab = fc.record({ who, replica, fate })
const theft = fc.record({ who, keepsAttempts: fc.boolean() })
const wait = fc.constantFrom(30_000, 1, 1000, 10_000, 29_999, 30_001, 60_000, 300_000, 1_200_000)
const lastMoment = fc.record({
  who,
  end: fc.constantFrom('idle', 'absolute', 'nonce'),
  early: fc.constantFrom(0, 1),
})
const clockStep = fc.oneof(
  fc.record({ replica, offset: fc.constantFrom(-3000, -1000, 0, 1, 3000) }),
  fc.record({ everywhere: fc.constantFrom(-1000, -30_000, -300_000, 30_000) }),
)
const downfall = fc.record({ replica, how: fc.constantFrom('crashes', 'closes') })
const newKey = fc.record({ replica, signsNow: fc.boolean() })

type Of<A> = A extends fc.Arbitrary<infer T> ? T : never

/** A kind of step, with how often it comes up, what is drawn for it, and when it can happen. */
function happens<T>(
  weight: number,
  does: (world: World, its: T) => Promise<void>,
  drawn: fc.Arbitrary<T>,
  when: (world: World, its: T) => boolean = () => true,
): { readonly weight: number; readonly arbitrary: fc.Arbitrary<Step> } {
  const step = (its: T): Step => ({
    check: (world) => when(world, its),
    run: (world) => does(world, its),
    toString: () => `${does.name} ${fc.stringify(its)}`,
  })
  return { weight, arbitrary: drawn.map(step) }
}

function canRenew(world: World, its: { readonly who: number }): boolean {
  return party(world, its).loggedOut === undefined
}

/** A tab renews: with the attempt id that the store has for it, or with a new one that it stores first. */
async function renews(world: World, its: Of<typeof renewal>): Promise<void> {
  const message = send(world, party(world, its), { tab: its.tab })
  const delivery = { type: 'renewal', message, replica: at(world, its), fate: its.fate } as const
  if (its.requestIsLate) world.trace.push(`${requestInWords(delivery)}; the request is late`)
  else await deliverAndHeed(world, delivery)
}

/** An honest client that is asked for a newer nonce, and hears it, tries once more at once (RFC 9449 §8). */
export async function deliverAndHeed(
  world: World,
  delivery: Delivery & { readonly type: 'renewal' },
): Promise<void> {
  const [answer] = await deliver(world, [delivery])
  const { by, tab } = delivery.message
  if (answer?.json.code !== 'use_dpop_nonce' || delivery.fate !== 'arrives' || !by.honest) return
  await deliver(world, [{ ...delivery, message: send(world, by, { tab }) }])
}

function hasSent(world: World): boolean {
  return world.sent.length > 0
}

/** A request arrives that was sent earlier: late, or once more. */
async function arrivesAgain(world: World, its: Of<typeof repetition>): Promise<void> {
  await deliver(world, [{ ...again(world, its) }])
}

function crowdIsThere(world: World, { parts }: Of<typeof crowd>): boolean {
  return parts.every((its) => (its.type === 'repetition' ? hasSent(world) : canRenew(world, its)))
}

/** Requests run side by side, and a server may go down under them. */
async function happenAtOnce(world: World, { parts, downfall }: Of<typeof crowd>): Promise<void> {
  const deliveries = parts.map((its): Delivery => {
    if (its.type === 'logout') return { type: 'logout', by: party(world, its), replica: at(world, its) }
    if (its.type === 'repetition') return again(world, its)
    const message = send(world, party(world, its), { tab: its.tab })
    return { type: 'renewal', message, replica: at(world, its), fate: its.fate }
  })
  if (!downfall) {
    await deliver(world, deliveries)
    return
  }
  const falling = at(world, downfall)
  await deliver(world, deliveries, {
    words: `${falling.name} is closed under them, and starts again`,
    async work() {
      for (let turn = 0; turn < downfall.turns; turn++) await nextTurn()
      await restart(world.arena, falling, 'closes')
    },
  })
}

function answersAreUnderWay(world: World): boolean {
  return world.underWay.length > 0
}

async function answerArrives(world: World, { which }: Of<typeof lateAnswer>): Promise<void> {
  const [late] = world.underWay.splice(which % world.underWay.length, 1)
  if (!late) return
  const { message, answer, at } = late
  world.trace.push(`a late answer reaches ${message.by.name}: ${answerInWords(answer)}`)
  receive(message, answer, at)
}

function hasBeenBrought(world: World, its: { readonly who: number }): boolean {
  return canRenew(world, its) && party(world, its).store.broughtBy !== undefined
}

/** A tab still has the attempt id that brought the pair which is in the store by now. */
async function lateTabRenews(world: World, its: Of<typeof lateTab>): Promise<void> {
  const by = party(world, its)
  const message = send(world, by, { tab: 'C', attempt: by.store.broughtBy })
  await deliver(world, [{ type: 'renewal', message, replica: at(world, its), fate: its.fate }])
}

function fewThieves(world: World): boolean {
  return world.parties.filter((one) => !one.honest).length < 2
}

/** Somebody copies both tokens, not the attempt id under way, nor the key. */
async function isCopied(world: World, its: Of<typeof theft>): Promise<void> {
  const victim = party(world, its)
  const name = `thief ${world.parties.filter((one) => !one.honest).length + 1}`
  const { session, store } = victim
  if (!session.device) session.excuses.add('its tokens were copied')
  world.parties.push({
    name,
    honest: false,
    session,
    keepsAttempts: its.keepsAttempts && !session.device,
    device: session.device && (await startDevice()),
    store: { pair: store.pair, pending: undefined, broughtBy: undefined, nonce: store.nonce },
    loggedOut: undefined,
  })
  world.trace.push(
    `${name} copies both tokens of ${victim.name}: generation ${generationOf(victim.store.pair.refresh)}`,
  )
}

async function timePasses(world: World, its: number): Promise<void> {
  world.arena.site.now += its
  world.trace.push(`${duration(its)} pass`)
}

function endIsAhead(world: World, its: Of<typeof lastMoment>): boolean {
  return momentOf(world, its) > world.arena.site.now
}

async function endComes(world: World, its: Of<typeof lastMoment>): Promise<void> {
  world.arena.site.now = momentOf(world, its)
  const when = its.early ? 'a millisecond before' : 'exactly'
  const { name, session } = party(world, its)
  const whose =
    its.end === 'nonce' ? `end of the nonce of ${name}` : `${its.end} end of ${session.owner}'s session`
  world.trace.push(`it is ${when} the ${whose}`)
}

function momentOf(world: World, its: Of<typeof lastMoment>): number {
  const { session, store } = party(world, its)
  const { idleExpiresAt: idle, expiresAt: absolute } = session.row
  const nonce = endOfNonce(store.nonce?.at ?? Number.NaN)
  return { idle, absolute, nonce }[its.end] - its.early
}

async function clockSteps(world: World, its: Of<typeof clockStep>): Promise<void> {
  if ('everywhere' in its) {
    world.arena.site.now += its.everywhere
    world.setBack -= Math.min(0, its.everywhere)
    world.trace.push(`all clocks step by ${duration(its.everywhere)}`)
  } else {
    at(world, its).dials.offset = its.offset
    world.trace.push(`the clock of ${at(world, its).name} is ${duration(its.offset)} ahead`)
  }
}

async function goesDown(world: World, its: Of<typeof downfall>): Promise<void> {
  await restart(world.arena, at(world, its), its.how)
  world.trace.push(`${at(world, its).name} ${its.how} and starts again`)
}

/** A backup of the whole database would not hold them, and tokens that a lost key signed prove nothing. */
function keysWouldNotBeLost(world: World): boolean {
  return world.arena.kind === 'postgres' || world.backup === undefined
}

async function keysRotate(world: World, its: Of<typeof newKey>): Promise<void> {
  await at(world, its).auth.api.rotateKeys({ signsNow: its.signsNow })
  world.arena.keysWereRotated = true
  world.trace.push(
    `a new signing key is made at ${at(world, its).name}${its.signsNow ? ', and signs now' : ''}`,
  )
}

/** The second of the two deploys that change the secret; or back. Every replica reads both. */
async function secretChanges(world: World, its: { readonly replica: number }): Promise<void> {
  const { name, dials } = at(world, its)
  dials.makes = dials.makes === 'A' ? 'B' : 'A'
  await restart(world.arena, at(world, its), 'closes')
  world.trace.push(`${name} starts again with secret ${dials.makes} first`)
}

/** What is over is removed from the database: proofs that nobody would take any more. */
async function isSwept(world: World, its: { readonly replica: number }): Promise<void> {
  const now = clockOf(world.arena, at(world, its))
  await at(world, its).auth.api.sweep()
  for (const session of world.sessions) session.row = swept(session.row, now)
  world.trace.push(`${at(world, its).name} sweeps`)
}

async function logsOut(world: World, its: { readonly who: number; readonly replica: number }): Promise<void> {
  await deliver(world, [{ type: 'logout', by: party(world, its), replica: at(world, its) }])
}

async function isBackedUp(world: World): Promise<void> {
  const sessions = world.sessions.map(({ row, history }) => ({ row, history: structuredClone(history) }))
  world.backup = { stored: await world.arena.hands.backUp(world.sessions.map(({ sid }) => sid)), sessions }
  world.trace.push('the database is backed up')
}

function hasBackup(world: World): boolean {
  return world.backup !== undefined
}

async function isRestored(world: World): Promise<void> {
  const { arena, backup } = world
  if (!backup) return
  if (arena.kind === 'sqlite') await closeServers(arena)
  arena.site.database = await arena.hands.restore(backup.stored)
  if (arena.kind === 'sqlite') for (const one of arena.replicas) await restart(arena, one, 'closes')
  world.restores++
  for (const [index, session] of world.sessions.entries()) {
    const kept = backup.sessions[index]
    if (kept) Object.assign(session, afterRestore(session, kept, arena.kind))
  }
  world.trace.push('the backup is restored')
}

/**
 * What clients hold is not put back: every token that was given stays known. Nor are the proofs that were used, where the
 * rows of the sessions alone are put back.
 */
function afterRestore(
  { row: { bound }, history: { proofs, tokens } }: Session,
  kept: Pick<Session, 'row' | 'history'>,
  kind: World['arena']['kind'],
): Pick<Session, 'row' | 'history'> {
  const { row, history } = structuredClone(kept)
  if (kind === 'sqlite') return { row, history: { ...history, tokens } }
  return { row: { ...row, bound }, history: { ...history, tokens, proofs } }
}

/** Somebody tries what must bring nothing and change nothing (rows 1 and 2). */
async function triesSpoiled(
  world: World,
  its: { readonly who: number; readonly replica: number; readonly spoil: number },
): Promise<void> {
  const by = party(world, its)
  const ways = by.session.device ? boundSpoils : spoils
  const message = await spoiled(world, by, ways[its.spoil % ways.length] ?? ways[0])
  await deliver(world, [{ type: 'renewal', message, replica: at(world, its), fate: 'is lost' }])
}

/** What was answered is served, also after a crash; of a session that has ended nothing is. */
async function usesAccessToken(
  world: World,
  its: { readonly who: number; readonly replica: number },
): Promise<void> {
  const by = party(world, its)
  const { name, session, store, device } = by
  const now = clockOf(world.arena, at(world, its))
  const { iat = 0, exp = 0 } = decodeUnverified(store.pair.access).claims
  if (now < iat * 1000 || now >= exp * 1000) return
  const isStolen = device !== session.device
  const answer = await me(at(world, its), by, now)
  const said = answer.status === 200 ? '200' : answerInWords(answer)
  world.trace.push(`${name} uses the access token at ${at(world, its).name} → ${said}`)
  const reason = endOf(session.row, now)
  const expected = isStolen
    ? '401 invalid_dpop_proof'
    : reason === undefined
      ? '200'
      : `401 session_ended (${reason})`
  if (said !== expected)
    throw await disagreement(world, session, [`expected: ${expected}`, `answered: ${said}`])
}

/** GET /auth/me, with a proof where the party has a key, and once more when a newer nonce is asked for. */
async function me({ call }: Replica, by: Party, now: number): Promise<Answer> {
  const { device, store } = by
  const token = store.pair.access
  if (!device) return call('GET', '/auth/me', { token })
  const once = async (nonce: string | undefined) => {
    const dpop = await device.proof({ method: 'GET', url: `${URL_OF_AUTH}/auth/me`, now, token, nonce })
    return call('GET', '/auth/me', { headers: { authorization: `DPoP ${token}`, dpop } })
  }
  const first = await once(store.nonce?.value)
  const given = first.headers.get('dpop-nonce')
  if (given !== null) store.nonce = { value: given, at: now }
  return first.json.code === 'use_dpop_nonce' ? once(store.nonce?.value) : first
}

/** Makes a request, as an honest client would: its attempt id is stored before it is sent. */
export function send(
  world: World,
  by: Party,
  { tab, attempt }: { tab: string; attempt?: string | undefined },
): Message {
  if (by.keepsAttempts && attempt === undefined) by.store.pending ??= `a${++world.attempts}`
  const { pair, pending } = by.store
  const { device } = by
  const message: Message = {
    by,
    tab,
    pair,
    generation: generationOf(pair.refresh),
    attempt: attempt ?? pending,
    scheme: device ? 'DPoP' : 'Bearer',
    proof: device && prove(world, by, device),
    spoil: undefined,
    restores: world.restores,
  }
  world.sent.push(message)
  return message
}

function again(world: World, its: Of<typeof repetition>): Delivery & { readonly type: 'renewal' } {
  const message = world.sent[Math.max(0, world.sent.length - 1 - its.which)]
  if (!message) throw new Error('nothing was sent')
  return { type: 'renewal', message, replica: at(world, its), fate: its.fate, again: true }
}

function party(world: World, its: { readonly who: number }): Party {
  const chosen = world.parties[its.who % world.parties.length]
  if (!chosen) throw new Error('nobody is there')
  return chosen
}

function at({ arena }: World, its: { readonly replica: number }): Replica {
  return its.replica === 0 ? arena.replicas[0] : arena.replicas[1]
}
