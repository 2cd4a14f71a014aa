import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { JwtError, type KeyQuery, type VerifiedJwt } from '@mapae/jwt'
import { eventData } from './event-stream.ts'
import type { Knowledge } from './knowledge.ts'
import { textOf } from './open-feed.ts'
import { BEGINNING, printPlace } from './place.ts'
import type { RevocationSettings } from './settings.ts'
import { keySetVersion, readStatement } from './statement.ts'
import { createWithdrawals } from './withdrawals.ts'

/** How it went with a feed the last time. */
export type FeedState = 'starting' | 'followed' | 'failing' | 'unheard' | 'absent'

export interface Following {
  readonly state: FeedState
  /** Resolves when everything is known for the first time, or when it is clear that this will take longer. */
  readonly settled: Promise<void>
  /** It has shown that there is a feed: one that is not found is away, and looked for at once. */
  expect(): void
  stop(): void
}

/** Milliseconds. The server says something every 5 s, so a silent line is a broken one. */
const SILENCE = 15_000
const FIRST_PAUSE = 200
const LONGEST_PAUSE = 5000
/** The same for an issuer that seems to have no feed: a proxy that finds none for a minute, in a deployment, is believed for a minute more. */
const LONGEST_ABSENCE = 300_000
/** A guard that was not heard of for ten minutes is not waited for when keys turn. */
const REPORT_EVERY = 120_000
/** The server has as many listeners as it takes. */
const FULL = 503
/** The shortest time between two fetches of the key set that the feed causes. */
const KEYS_COOLDOWN = 1000

/**
 * Follows a feed for good: connects, takes in what is signed by the issuer, resumes after the last thing it knows, and begins again, later
 * and later and never at the same moment as the others, when the line is cut, silent, or has left something out.
 */
export function followFeed(settings: RevocationSettings, knowledge: Knowledge): Following {
  const stopping = new AbortController()
  const withdrawals = createWithdrawals(settings, knowledge, stopping.signal)
  const id = randomBytes(16).toString('base64url')
  let state: FeedState = 'starting'
  let settle = () => {}
  const settled = new Promise<void>((resolve) => {
    settle = resolve
  })
  /** Where nobody said that there is a feed, one that never answered is not missed. */
  let isThere = !settings.mayBeAbsent
  const expecting = new AbortController()
  let heldVersion = '-'
  let keysFetchedAt = Number.NEGATIVE_INFINITY
  let fetching: Promise<void> | undefined
  follow().catch(settings.onError)
  reportForEver().catch(settings.onError)

  return {
    get state() {
      return state
    },
    settled,
    expect() {
      if (isThere) return
      isThere = true
      if (state === 'absent') state = 'failing'
      expecting.abort()
    },
    stop: () => stopping.abort(),
  }

  async function follow(): Promise<void> {
    let failures = 0
    while (!stopping.signal.aborted) {
      const before = knowledge.asOf
      state = await connect().catch(failed)
      const isHeard = knowledge.asOf > before
      if (state === 'unheard' && !isHeard) await ask().catch(failed)
      settle()
      failures = isHeard ? 0 : failures + 1
      await pauseAfter(failures)
    }
  }

  function pauseAfter(failures: number): Promise<boolean> {
    const pausing = FIRST_PAUSE * 2 ** failures
    if (state !== 'absent') return pause(Math.min(LONGEST_PAUSE, pausing))
    const signal = AbortSignal.any([stopping.signal, expecting.signal])
    return pause(Math.min(LONGEST_ABSENCE, pausing), signal)
  }

  /** One connection, until it ends or something is missing. */
  async function connect(): Promise<FeedState> {
    const line = new AbortController()
    const hangUp = () => line.abort()
    stopping.signal.addEventListener('abort', hangUp, { once: true })
    let silence = setTimeout(hangUp, SILENCE).unref()
    try {
      const headers = { ...ownHeaders(), accept: 'text/event-stream', 'last-event-id': cursor() }
      const answer = await settings.open(settings.url, { headers, signal: line.signal })
      const isFeed = answer.status === 200 && answer.contentType.startsWith('text/event-stream')
      if (!isFeed) return refusedBy(answer.status)
      for await (const token of eventData(answer.body)) {
        clearTimeout(silence)
        silence = setTimeout(hangUp, SILENCE).unref()
        if (!(await take(token))) return 'failing'
      }
      return 'unheard'
    } catch (error) {
      if (line.signal.aborted && !stopping.signal.aborted) return 'unheard'
      throw error
    } finally {
      clearTimeout(silence)
      stopping.signal.removeEventListener('abort', hangUp)
      line.abort()
    }
  }

  /** 200 of another type, or one of these: this is not a feed's address at all, if it never was one. */
  function refusedBy(status: number): FeedState {
    if (!isThere && [200, 404, 405, 406, 410].includes(status)) return 'absent'
    isThere = true
    if (status === FULL) return 'unheard'
    throw new Error(`the revocation feed was answered with status ${status}`)
  }

  function failed(error: unknown): FeedState {
    if (isThere && !stopping.signal.aborted) settings.onError(error)
    return 'failing'
  }

  /** False: something is missing. What is not the issuer's is passed over; if it stood for something, that is missing next. */
  async function take(token: string): Promise<boolean> {
    const verified = await verify(token)
    if (!verified || knowledge.isWithdrawn(verified.key.kid)) return true
    const statement = readStatement(verified.claims)
    if (!statement) return true
    const { says } = statement
    if (says.type === 'key_withdrawn') hearWithdrawal(says.kid, verified)
    const isWhole = knowledge.learn(statement)
    if (says.type === 'head' && isWhole) {
      state = 'followed'
      isThere = true
      settle()
      holdKeys(says.keys).catch(failed)
    }
    return isWhole
  }

  function hearWithdrawal(kid: string, { claims, key }: VerifiedJwt): void {
    const at = (claims.iat ?? Number.POSITIVE_INFINITY) * 1000
    withdrawals.hear({ kid, by: key.kid, at })
    fetchKeys().catch(failed)
  }

  async function verify(token: string) {
    try {
      return await verifyWithNewestKeys(token)
    } catch (error) {
      if (!(error instanceof JwtError)) throw error
      settings.onError(error)
      return undefined
    }
  }

  /** A key that was made in an emergency signs at once: the set is fetched although that was done just now. */
  async function verifyWithNewestKeys(token: string) {
    try {
      return await settings.verify(token)
    } catch (error) {
      if (!(error instanceof JwtError) || error.code !== 'key_not_found') throw error
      await fetchKeys()
      return settings.verify(token)
    }
  }

  /** Once a second, however many made-up keys there are; one fetch, begun after everybody that waits for it asked. */
  function fetchKeys(): Promise<void> {
    const wait = Math.max(0, keysFetchedAt + KEYS_COOLDOWN - performance.now())
    fetching ??= sleep(wait, undefined, { ref: false, signal: stopping.signal }).then(() => {
      fetching = undefined
      keysFetchedAt = performance.now()
      return settings.refreshKeys()
    })
    return fetching
  }

  /** Has every published key at hand before it signs, and says so. */
  async function holdKeys(keys: readonly Required<KeyQuery>[]): Promise<void> {
    const version = keySetVersion(keys)
    if (!keys.every(settings.has)) await fetchKeys()
    if (version === heldVersion || !keys.every(settings.has)) return
    heldVersion = version
    await report()
  }

  /** Where no line can be had, because all are taken or something in between keeps back what comes, asking must do. */
  async function ask(): Promise<void> {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(SILENCE)])
    const { status, body } = await settings.open(askingUrl(), { headers: ownHeaders(), signal })
    if (status !== 200) throw new Error(`the revocation feed was answered with status ${status}`)
    for (const token of setsOf(await textOf(body))) await take(token)
  }

  function askingUrl(): string {
    const url = new URL(settings.url)
    url.searchParams.set('since', cursor())
    return url.href
  }

  /** Where to go on from. A server of the first version gave no tag: that may be a place in another feed by now. */
  function cursor(): string {
    const { place } = knowledge
    return printPlace(place.tag === '' ? BEGINNING : place)
  }

  async function reportForEver(): Promise<void> {
    while (await pause(REPORT_EVERY)) if (state === 'followed') await report()
  }

  /** Shows the server which keys are held here. */
  async function report(): Promise<void> {
    const told = new AbortController()
    const signal = AbortSignal.any([stopping.signal, told.signal, AbortSignal.timeout(SILENCE)])
    try {
      await settings.open(askingUrl(), { headers: ownHeaders(), signal })
    } catch (error) {
      failed(error)
    } finally {
      told.abort()
    }
  }

  function ownHeaders(): Record<string, string> {
    const { token } = settings
    return {
      'mapae-guard': `${id}; keys=${heldVersion}`,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    }
  }

  /** By chance half as long or half as long again. False: it is time to stop. */
  function pause(milliseconds: number, signal = stopping.signal): Promise<boolean> {
    const jittered = milliseconds * (0.5 + Math.random())
    return sleep(jittered, true, { ref: false, signal }).catch(() => false)
  }
}

function setsOf(text: string): readonly string[] {
  const answer: unknown = JSON.parse(text)
  const sets = typeof answer === 'object' && answer !== null && 'sets' in answer ? answer.sets : undefined
  return Array.isArray(sets) ? sets.filter((set) => typeof set === 'string') : []
}
