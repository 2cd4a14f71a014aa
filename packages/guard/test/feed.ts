import {
  BEGINNING,
  claimsOf,
  feedAudience,
  markOf,
  type Place,
  sessionHash,
  setType,
} from '@mapae/guard/revocations'
import { createJwkSet, createSigner, generateKey, type JwtClaims, type Key } from '@mapae/jwt'

export const ISSUER = 'https://auth.example.com'
/** A moment in 2026, in milliseconds. */
export const START = 1_790_000_000_000

/** The place of an entry in the feed that these tests tell of; `of` names another feed, with the same numbers. */
export const at = (seq: number, of = 'x'): Place =>
  seq === 0 ? BEGINNING : { seq, tag: `${of}${seq}`.padEnd(11, '_') }

const between = (prev: number | Place, upTo: number | Place) => ({
  prev: typeof prev === 'number' ? at(prev) : prev,
  upTo: typeof upTo === 'number' ? at(upTo) : upTo,
})

/** What the feed says of an end, from `prev` to `seq`. */
export const ended = (prev: number | Place, seq: number | Place, ...sids: readonly string[]) =>
  claimsOf(
    {
      ...between(prev, seq),
      says: {
        type: 'revoked',
        entries: sids.map((sid) => ({
          ...markOf(sessionHash(sid)),
          epoch: 0xffffffff,
          expiresAt: START / 1000 + 360,
        })),
      },
    },
    ISSUER,
  )

/** What it says where nothing is new. */
export const head = (seq: number | Place, asOf: number, keys: readonly Key[] = []) =>
  claimsOf(
    {
      ...between(seq, seq),
      says: { type: 'head', at: asOf, keys: keys.map(({ kid = '', alg }) => ({ kid, alg })) },
    },
    ISSUER,
  )

export const keyWithdrawn = (prev: number | Place, seq: number | Place, kid: string) =>
  claimsOf({ ...between(prev, seq), says: { type: 'key_withdrawn', kid } }, ISSUER)

/** What it says where the next list begins before the place of the guard. */
export const overlap = (prev: number | Place, seq: number | Place) =>
  claimsOf({ ...between(prev, seq), says: { type: 'overlap' } }, ISSUER)

/** The issuer's side of the line, said by hand, so that it can say what no server does. */
export function startFeed({ hasFeed = true } = {}) {
  const state = {
    now: START,
    status: 200,
    feedStatus: hasFeed ? 200 : 404,
    /** As of when the key set is; now, where nothing in between keeps it. */
    keysAsOf: undefined as number | undefined,
    /** How often it was asked for past all caches. */
    keysAskedFor: 0,
  }
  const key = generateKey('ES256')
  const published = [key]
  const lines: {
    readonly lastEventId: string
    readonly controller: ReadableStreamDefaultController<Uint8Array>
  }[] = []
  const reports: string[] = []
  const fetches: string[] = []
  const hungUp: number[] = []
  const answers: string[] = []

  const fetch: typeof globalThis.fetch = async (input, init) => {
    const url = new URL(String(input))
    fetches.push(url.pathname)
    if (state.status !== 200) return new Response(null, { status: state.status })
    if (new Headers(init?.headers).get('cache-control') === 'no-cache') state.keysAskedFor += 1
    if (url.pathname === '/.well-known/jwks.json')
      return Response.json({ ...createJwkSet(published).toJSON(), as_of: state.keysAsOf ?? state.now })
    const isAsked = url.searchParams.has('since')
    if (state.feedStatus === 503 && isAsked) return Response.json({ sets: answers.splice(0) })
    if (state.feedStatus !== 200) return new Response(null, { status: state.feedStatus })
    const headers = new Headers(init?.headers)
    reports.push(headers.get('mapae-guard') ?? '')
    if (isAsked) return Response.json({ sets: [] })
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void lines.push({ lastEventId: headers.get('last-event-id') ?? '', controller }),
      cancel: () => void hungUp.push(lines.length),
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }

  const send = (text: string) => lines.at(-1)?.controller.enqueue(new TextEncoder().encode(text))
  return {
    fetch,
    state,
    key,
    published,
    lines,
    reports,
    fetches,
    hungUp,
    /** What those who ask are told, while the feed has no line to spare (503). */
    answers,
    clock: () => state.now,
    token: (changes: JwtClaims = {}, by: Key = key) =>
      createSigner({ key: by, typ: 'at+jwt' })(tokenClaims(state.now, changes)),
    set: (claims: JwtClaims, by: Key = key, typ: string = setType) =>
      createSigner({ key: by, typ, maxLength: 1_000_000 })({
        iss: ISSUER,
        aud: feedAudience(ISSUER),
        iat: state.now / 1000,
        jti: 'set-1',
        ...claims,
      }),
    /** Says it on the line that was opened last. */
    say(claims: JwtClaims, by: Key = key) {
      send(`data: ${this.set(claims, by)}\n\n`)
    },
    send,
    cut: () => lines.at(-1)?.controller.error(new Error('cut')),
    end: () => lines.at(-1)?.controller.close(),
  }
}

export type Feed = ReturnType<typeof startFeed>

function tokenClaims(now: number, changes: JwtClaims): JwtClaims {
  const iat = now / 1000
  return {
    iss: ISSUER,
    aud: ISSUER,
    sub: 'account-1',
    client_id: 'mapae',
    jti: 'token-1',
    sid: 'session-1',
    epoch: 0,
    iat,
    exp: iat + 300,
    ...changes,
  }
}
