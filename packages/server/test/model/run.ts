import fc from 'fast-check'
import { type Device, startDevice } from '../../../../test-support/device.ts'
import { type Arena, clockOf, logIn, settings, tidy } from './arena.ts'
import { beginHistory } from './history.ts'
import { opened } from './rules.ts'
import { deliverAndHeed, type Step, send } from './steps.ts'
import { readRow, sameRow } from './stored.ts'
import { broken, Disagreement, disagreement } from './words.ts'
import type { Party, Session, World } from './world.ts'

/** An honest client, by what it does about attempt ids. */
export interface ClientKind {
  readonly keepsAttempts: boolean
  /** Logs in with a proof (DPoP): its session is bound to its key, and does not rotate. */
  readonly hasKey: boolean
}

/** Plays one story in an arena. Throws a `Disagreement` as soon as the server and the model part. */
export async function play(
  arena: Arena,
  clients: readonly ClientKind[],
  story: Iterable<Step>,
): Promise<World> {
  await tidy(arena)
  const world = await begin(arena, clients)
  try {
    await fc.asyncModelRun(() => ({ model: world, real: world }), story)
    await end(world)
  } catch (thrown) {
    throw thrown instanceof Disagreement ? thrown : broken(world, thrown)
  }
  return world
}

async function begin(arena: Arena, clients: readonly ClientKind[]): Promise<World> {
  const trace: string[] = []
  const parties: Party[] = []
  for (const [index, kind] of clients.entries()) {
    const name = `client ${index + 1}`
    const device = kind.hasKey ? await startDevice() : undefined
    const keepsAttempts = kind.keepsAttempts && !device
    const { session, ...held } = await login(arena, name, device)
    const store = { ...held, pending: undefined, broughtBy: undefined }
    parties.push({ name, honest: true, session, keepsAttempts, device, store, loggedOut: undefined })
    const does = device ? 'has a key' : keepsAttempts ? 'keeps attempt ids' : 'makes no attempt ids'
    trace.push(`${name}, which ${does}, logs in: generation 1`)
  }
  return {
    arena,
    sessions: parties.map(({ session }) => session),
    parties,
    sent: [],
    underWay: [],
    trace,
    decided: new Map(),
    attempts: 0,
    proofs: 0,
    heard: new Map(),
    setBack: 0,
    restores: 0,
    backup: undefined,
    raced: false,
    doubted: false,
  }
}

async function login(
  arena: Arena,
  owner: string,
  device: Device | undefined,
): Promise<{ session: Session } & Pick<Party['store'], 'pair' | 'nonce'>> {
  const [replica] = arena.replicas
  const at = clockOf(arena, replica)
  const { status, json, headers } = await logIn(replica, device)
  if (status !== 200) throw new Error(`the login was answered ${status} ${json.code}`)
  const { access_token: access, refresh_token: refresh, session_id: sid, user } = json
  const isBound = device !== undefined
  const row = opened(refresh, { at, makes: replica.dials.makes, isBound }, settings)
  const history = beginHistory(refresh, at)
  const session: Session = {
    sid,
    accountId: user.id,
    owner,
    device,
    row,
    history,
    excuses: new Set(),
    events: [],
  }
  const nonce = headers.get('dpop-nonce')
  return { session, pair: { access, refresh }, nonce: nonce === null ? undefined : { value: nonce, at } }
}

/** Whatever happened: everybody tries once more, and the rows and the audited events are what the model says. */
async function end(world: World): Promise<void> {
  const [replica] = world.arena.replicas
  for (const by of world.parties) {
    const message = send(world, by, { tab: 'A' })
    await deliverAndHeed(world, { type: 'renewal', message, replica, fate: 'arrives' })
  }
  for (const session of world.sessions) {
    if (!sameRow(await readRow(world, session), session.row))
      throw await disagreement(world, session, ['at the end the row is not what the model says it is'])
    if (world.doubted) continue
    const [heard, expected] = [heardOf(world, session), expectedOf(world, session)]
    // Not in their order: of two that happened at once, either may be written down first.
    if (heard.toSorted().join() !== expected.toSorted().join())
      throw await disagreement(world, session, [
        `events: ${heard.join(', ')}`,
        `expected: ${expected.join(', ')}`,
      ])
  }
}

const FETCHES = ['session.fetched_without_attempt', 'session.line_shared']
const AUDITED = [
  ...['session.reuse_detected', 'session.adopted', 'session.access_token_mismatch'],
  'session.proof_refused',
]

function heardOf(world: World, { sid }: Session): readonly string[] {
  const heard = world.arena.site.events.filter((event) => 'sessionId' in event && event.sessionId === sid)
  return heard.map(({ type }) => type as string).filter((type) => isAudited(world, type))
}

function expectedOf(world: World, { events }: Session): readonly string[] {
  return events.filter((type) => isAudited(world, type))
}

function isAudited({ raced }: World, type: string): boolean {
  return AUDITED.includes(type) || (!raced && FETCHES.includes(type))
}
