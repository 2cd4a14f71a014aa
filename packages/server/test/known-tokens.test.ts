import { describe, expect, test } from 'vitest'
import { createKnownTokens } from '../src/known-tokens.ts'

describe('the tokens that are known', () => {
  test('are those that were added, to the letter', () => {
    const known = createKnownTokens()
    known.add('a.b.c')
    expect(known.has('a.b.c')).toBe(true)
    for (const other of ['a.b.d', 'a.b.c=', 'A.b.c', ' a.b.c', 'a.b', ''])
      expect(known.has(other)).toBe(false)
  })

  test('are forgotten for newer ones, and the newest stay', () => {
    const known = createKnownTokens()
    const count = 800_000
    for (let n = 0; n < count; n++) known.add(`token ${n}`)
    const share = (from: number) => {
      const asked = Array.from({ length: 10_000 }, (_, n) => known.has(`token ${from + n}`))
      return asked.filter((isKnown) => isKnown).length / asked.length
    }
    expect(share(count - 10_000)).toBeGreaterThan(0.95)
    expect(share(0)).toBeLessThan(0.9)
  })
})
