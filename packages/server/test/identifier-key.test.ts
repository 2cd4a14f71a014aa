import { expect, test } from 'vitest'
import { emailKey, usernameKey } from '../src/store/identifier-key.ts'

test('the key of a key is the key, for every character: nobody gets another’s by writing the key', () => {
  const characters = Array.from({ length: 0x110000 }, (_, code) => code)
    .filter((code) => code < 0xd800 || code > 0xdfff)
    .map((code) => String.fromCodePoint(code))
  const unstable = characters.filter((character) => {
    const key = usernameKey(`a${character}b${character}`)
    return usernameKey(key) !== key
  })
  expect(unstable).toEqual([])
})

test.each([
  ['me@%65xample.com', 'me@%65xample.com'],
  ['me@xn--a.example', 'me@xn--a.example'],
  ['me@Faß.example', 'me@xn--fa-hia.example'],
  ['ME@under_score.Example', 'me@under_score.example'],
  ['nobody', 'nobody'],
])('the key of %s is %s', (address, key) => {
  expect(emailKey(address)).toBe(key)
})
