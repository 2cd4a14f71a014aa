import { markOf, type Place, type Statement, sessionHash } from '@mapae/guard/revocations'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkAccessClaims } from '../src/access-claims.ts'
import { createKnowledge } from '../src/revocations/knowledge.ts'
import { at, START } from './feed.ts'

const [SHARED, LAST] = [2, 5]

/** An entry of the one feed or of the other, which have the first ones in common: a backup was made after them. */
const placeIn = (feed: string, seq: number): Place => at(seq, seq <= SHARED ? 'x' : feed)
const sidIn = (feed: string, seq: number) => `session-${placeIn(feed, seq).tag}`

/** All that the servers of a feed may ever sign. */
function statementsOf(feed: string): readonly Statement[] {
  const numbers = Array.from({ length: LAST + 1 }, (_, seq) => seq)
  const pairs = numbers.flatMap((from) => numbers.slice(from + 1).map((to) => [from, to] as const))
  const place = (seq: number) => placeIn(feed, seq)
  return [
    ...numbers.map((seq) => ({
      prev: place(seq),
      upTo: place(seq),
      says: { type: 'head', at: START, keys: [] } as const,
    })),
    ...pairs.map(([from, to]) => ({ prev: place(from), upTo: place(to), says: revoked(feed, from, to) })),
    ...pairs.map(([from, to]) => ({
      prev: place(to),
      upTo: place(from),
      says: { type: 'overlap' } as const,
    })),
  ]
}

function revoked(feed: string, from: number, to: number): Statement['says'] {
  const entries = Array.from({ length: to - from }, (_, index) => ({
    ...markOf(sessionHash(sidIn(feed, from + index + 1))),
    epoch: 0xffffffff,
    expiresAt: START / 1000 + 360,
  }))
  return { type: 'revoked', entries }
}

const claimsOf = (sid: string) =>
  checkAccessClaims({ iss: 'i', sub: 's', aud: 'a', client_id: 'c', jti: 'j', sid, epoch: 0, iat: 1, exp: 2 })

test('whatever a relay leaves out, repeats, reorders and mixes of two feeds: who believes that nothing is newer holds all there is', () => {
  const feeds = ['a', 'b'].map((feed) => ({ feed, statements: statementsOf(feed) }))
  const said = feeds.flatMap(({ feed, statements }) => statements.map((statement) => ({ feed, statement })))
  let believed = 0
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...said), { minLength: 40, maxLength: 80 }), (told) => {
      const knowledge = createKnowledge(() => START)
      for (const { feed, statement } of told) {
        const isWhole = knowledge.learn(statement)
        if (!isWhole || statement.says.type !== 'head') continue
        believed += 1
        for (let seq = 1; seq <= statement.upTo.seq; seq++)
          expect(knowledge.revokes(claimsOf(sidIn(feed, seq)), undefined), `${feed}${seq}`).toBe(true)
      }
    }),
    { numRuns: 2000 },
  )
  expect(believed).toBeGreaterThan(100)
})
