import { expect, test } from 'vitest'
import { emailKey, formerKey, usernameKey } from '../src/store/identifier-key.ts'

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

test('case tells no two hosts apart: else a name in capitals would be looked up before that of its owner', () => {
  const capitals = Array.from({ length: 0x110000 }, (_, code) => code)
    .filter((code) => code < 0xd800 || code > 0xdfff)
    .map((code) => String.fromCodePoint(code))
    .filter((character) => character.toLowerCase() !== character)
  const addresses = capitals.map((character) => `me@b${character}b.example`)
  const different = addresses.filter((address) => emailKey(address) !== emailKey(formerKey(address)))
  expect(different).toEqual([])
  expect(addresses.filter((address) => emailKey(emailKey(address)) !== emailKey(address))).toEqual([])
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
