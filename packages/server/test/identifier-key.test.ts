import { expect, test } from 'vitest'
import { nameTyped, typedIdentifiers } from '../src/identifier.ts'
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

test('no character gives two names to one that is looked up: whoever guesses is counted by one name', () => {
  const named = new Map<string, string>()
  const twice = new Set<string>()
  for (let code = 0; code < 0x20000; code++) {
    const character = code < 0xd800 || code > 0xdfff ? String.fromCodePoint(code) : ''
    for (const typed of [`a${character}b`, `a${character}b@example.com`, `me@a${character}b.example`]) {
      const name = nameTyped(typed).value
      for (const { kind, value } of typedIdentifiers(typed)) {
        const lookedUp = `${kind} ${value}`
        if ((named.get(lookedUp) ?? name) !== name) twice.add(lookedUp)
        named.set(lookedUp, name)
      }
    }
  }
  expect([...twice]).toEqual([])
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
