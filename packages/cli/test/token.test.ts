import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { exportJwk, generateKey, type JwtClaims, signJwt } from '@mapae/jwt'
import { describe, expect, onTestFinished, test } from 'vitest'
import { mapaeHere } from './here.ts'
import { mapae, temporaryFolder } from './mapae.ts'

const NOW = 1_790_000_000
const at = (seconds: number) => ({ clock: () => seconds * 1000 })
const key = generateKey('ES256')
const usual = {
  iss: 'https://id.example.com',
  aud: 'https://api.example.com',
  sub: 'account-1',
  iat: NOW,
  exp: NOW + 240,
}

function tokenOf(claims: JwtClaims, typ = 'at+jwt'): string {
  return signJwt({ key, typ, claims, clock: () => NOW * 1000 })
}

/** A token as anybody can write it. */
function forged(header: unknown, claims: unknown, signature = 'AAAA'): string {
  const segment = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${segment(header)}.${segment(claims)}.${signature}`
}

describe('token decode', () => {
  test('explains each claim and says times as local time and from now', async () => {
    const { code, stdout, stderr } = await mapaeHere(['token', 'decode', tokenOf(usual)], at(NOW))
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('NOT VERIFIED')
    expect(stdout).toMatch(/^ {2}iss {2}"https:\/\/id\.example\.com"\n {7}Issuer: who made/m)
    expect(stdout).toMatch(/^ {2}exp {2}1790000240 {2}2026-09-2\d \d\d:\d\d:\d\d [+-]\d\d:\d\d, in 4 min$/m)
    expect(stdout).toMatch(/^ {2}iat .*, now$/m)
    expect(stdout).toContain('64 bytes')
    expect(stdout).not.toContain('\u001b')
  })

  test('is the same as a process, with the token on standard input and a Bearer before it', async () => {
    const token = tokenOf(usual)
    const { code, stdout, stderr } = await mapae(['token', 'decode'], { stdin: `Bearer ${token}\n` })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`\n${token}\n`)
    expect((await mapae(['token', 'decode', '-'], { stdin: token })).stdout).toBe(stdout)
  })

  test('shows the three parts in three colours on a terminal, but not where NO_COLOR is set or it is dumb', async () => {
    const token = tokenOf(usual)
    const [header, payload, signature] = token.split('.')
    const coloured = `\u001b[31m${header}\u001b[0m.\u001b[35m${payload}\u001b[0m.\u001b[36m${signature}\u001b[0m\n`
    const ask = async (environment = {}) =>
      (await mapaeHere(['token', 'decode', token], { tty: true, environment })).stdout
    expect(await ask()).toContain(coloured)
    expect(await ask({ NO_COLOR: '1' })).not.toContain('\u001b')
    expect(await ask({ TERM: 'dumb' })).not.toContain('\u001b')
  })

  test('--json is one object', async () => {
    const { code, stdout } = await mapaeHere(['token', 'decode', tokenOf(usual), '--json'], at(NOW + 300))
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      verified: false,
      form: 'jws',
      header: { alg: 'ES256', typ: 'at+jwt', kid: key.kid },
      claims: usual,
      times: { state: 'expired', expiresIn: -60, lifetime: 240 },
      problems: [{ severity: 'error', where: 'claims', description: 'The token has expired.' }],
    })
  })

  test('what an attacker wrote into a token reaches the terminal escaped', async () => {
    const evil = '\u001b]0;owned\u0007\u009b2J\u202eevil\u2066\u200b\u3164\u{e0041}\r\n'
    const token = forged({ alg: 'none', kid: evil }, { ...usual, [evil]: evil, sub: evil })
    for (const flags of [[], ['--json']])
      for (const tty of [false, true]) {
        const where = { tty, environment: { NO_COLOR: '1' } }
        const { stdout } = await mapaeHere(['token', 'decode', token, ...flags], where)
        expect(stdout).toContain('\\u202eevil')
        expect(stdout).toContain('\\udb40\\udc41')
        expect(stdout).not.toMatch(/[^\P{C}\n]|\u3164/u)
      }
    const { stdout } = await mapaeHere(['token', 'decode', token, '--json'])
    expect(JSON.parse(stdout).claims.sub).toBe(evil)
    expect(Object.keys(JSON.parse(stdout).claims)).toContain(evil)
  })

  test('a name of a claim as long as a page does not push the others aside', async () => {
    const token = forged({ alg: 'none' }, { ['x'.repeat(5000)]: 1, sub: 'me' })
    const { stdout } = await mapaeHere(['token', 'decode', token])
    expect(stdout).toMatch(/^ {2}sub {19}"me"$/m)
  })

  test.each([
    ['hello', 'This is no JWT. A JWT has three segments between dots, this has 1.\n'],
    ['a.b.c', /^This is no JWT\. The header /],
    [forged({ alg: 'ES256' }, {}).replace('.', '!.'), /^This is no JWT\. The header /],
    ['mrt_a.b.1.c', /^This is a refresh token: it is opaque/],
  ])('%s is refused with 1 and one sentence', async (token, sentence) => {
    const { code, stdout, stderr } = await mapaeHere(['token', 'decode', token])
    expect([code, stdout]).toEqual([1, ''])
    if (typeof sentence === 'string') expect(stderr).toBe(sentence)
    else expect(stderr).toMatch(sentence)
    expect(stderr.split('\n')).toHaveLength(2)
  })

  test('without a token, on a terminal or with nothing on standard input, it ends with 2', async () => {
    expect(await mapaeHere(['token', 'decode'], { tty: true })).toMatchObject({ code: 2, stdout: '' })
    expect(await mapaeHere(['token', 'decode'], { stdin: ' \n' })).toEqual({
      code: 2,
      stdout: '',
      stderr: 'mapae token decode was given an empty token.\n',
    })
  })

  test('more than a megabyte on standard input is refused', async () => {
    const { code, stderr } = await mapae(['token', 'decode'], { stdin: 'a'.repeat(1_000_001) })
    expect([code, stderr]).toEqual([1, 'There is more on standard input than a megabyte.\n'])
  })
})

describe('token sign and token verify', () => {
  test('a token that is signed is good, as processes', async () => {
    const { file, publicFile } = await keyFiles()
    const claims = JSON.stringify({ iss: usual.iss, aud: usual.aud, sub: 'me' })
    const signed = await mapae(['token', 'sign', '--key', file, '--claims', '-', '--expires-in', '240'], {
      stdin: claims,
    })
    expect([signed.code, signed.stderr]).toEqual([0, ''])
    expect(signed.stdout).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/)

    const expected = ['--key', publicFile, '--issuer', usual.iss, '--audience', usual.aud]
    const good = await mapae(['token', 'verify', ...expected], { stdin: signed.stdout })
    expect([good.code, good.stderr]).toEqual([0, ''])
    expect(good.stdout).toMatch(/^✓ valid for me, signed with ES256 by \S+, expires in 4 min\n/)
    expect(good.stdout).toContain('Subject: whom the token is about')
    expect(good.stdout).not.toContain('NOT VERIFIED')

    const altered = `${signed.stdout.trim().slice(0, -2)}AA`
    const bad = await mapae(['token', 'verify', altered, ...expected, '--json'])
    expect(bad.code).toBe(1)
    expect(JSON.parse(bad.stdout)).toEqual({
      valid: false,
      code: 'signature_invalid',
      reason: expect.any(String),
    })
    expect(bad.stderr).toMatch(/^✗ refused \(signature_invalid\): /)
  })

  test('sign prints JSON when asked, and on a terminal what is in the token', async () => {
    const { file } = await keyFiles()
    const args = ['token', 'sign', '--key', file, '--claims', '{"sub":"me"}', '--expires-in', '60']
    const { token, header, claims } = JSON.parse((await mapaeHere([...args, '--json'], at(NOW))).stdout)
    expect(token).toMatch(/^eyJ/)
    expect(header).toEqual({ alg: 'ES256', typ: 'JWT', kid: key.kid })
    expect(claims).toEqual({ sub: 'me', iat: NOW, exp: NOW + 60 })
    const { stdout } = await mapaeHere(args, { ...at(NOW), tty: true, environment: { NO_COLOR: '1' } })
    expect(stdout).toMatch(/^✓ signed\n\neyJ/)
    expect(stdout).toContain('in 60 s')
  })

  test.each([
    [['--claims', '[]'], '--claims must be a JSON object, such as {"sub":"me"}.'],
    [['--claims', 'sub=me'], '--claims must be a JSON object, such as {"sub":"me"}.'],
    [['--claims', '{"exp":"soon"}'], 'The claim exp has the wrong type.'],
    [
      ['--claims', '{}', '--expires-in', '0'],
      '--expires-in must be a whole number from 1 to 1000000000, not "0".',
    ],
    [['--claims', '{}', '--alg', 'none'], /The key file .* cannot be used: /],
  ])('sign refuses %j in one sentence', async (args, sentence) => {
    const { file } = await keyFiles()
    const { code, stdout, stderr } = await mapaeHere(['token', 'sign', '--key', file, ...args])
    expect([code, stdout, stderr.split('\n').length]).toEqual([1, '', 2])
    if (typeof sentence === 'string') expect(stderr).toBe(`${sentence}\n`)
    else expect(stderr).toMatch(sentence)
  })

  test.each([
    ['not there', undefined, /cannot be read: there is no such file\.$/],
    ['empty', '', /cannot be used: /],
    ['no key', 'hello', /cannot be used: /],
    ['broken JSON', '{"kty":', /is not JSON\.$/],
    ['no JWK', '{"hello":1}', /cannot be used: /],
    ['of strange members', '{"kty":["EC"],"crv":{},"x":1,"y":null}', /cannot be used: /],
    ['a set', '{"keys":[]}', /holds a key set; one key is needed\.$/],
  ])('a key file that is %s is refused in one sentence', async (_, content, sentence) => {
    const file = join(await temporaryFolder(), 'key')
    if (content !== undefined) await writeFile(file, content)
    const { code, stderr } = await mapaeHere(['token', 'sign', '--key', file, '--claims', '{}'])
    expect([code, stderr.split('\n').length]).toEqual([1, 2])
    expect(stderr.trimEnd()).toMatch(sentence)
  })

  test.each([
    ['expired', { ...usual, exp: NOW - 61 }, [], 'token_expired, 61 s ago'],
    ['not valid yet', { ...usual, nbf: NOW + 60 }, [], 'token_not_yet_valid'],
    ['without an end', { ...usual, exp: undefined }, [], 'claim_missing'],
    ['of another type', usual, ['--typ', 'logout+jwt'], 'type_mismatch'],
    ['from another issuer', { ...usual, iss: 'https://x\u202e' }, [], 'issuer_mismatch'],
    ['for another audience', { ...usual, aud: ['a', 'b'] }, [], 'audience_mismatch'],
  ])('a token that is %s is refused', async (_, claims, flags, code) => {
    const { publicFile } = await keyFiles()
    const expected = ['--key', publicFile, '--issuer', usual.iss, '--audience', usual.aud, ...flags]
    const refused = await mapaeHere(['token', 'verify', tokenOf(claims), ...expected], at(NOW))
    expect([refused.code, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr.startsWith(`✗ refused (${code}): `)).toBe(true)
    if (code === 'issuer_mismatch')
      expect(refused.stderr).toContain('It says "https://x\\u202e", not "https://id.example.com".')
    if (code === 'audience_mismatch')
      expect(refused.stderr).toContain('It says ["a","b"], not "https://api.example.com".')
  })

  test('with a key file issuer and audience must be named, or waived aloud, not both', async () => {
    const { publicFile } = await keyFiles()
    const ask = (...flags: string[]) =>
      mapaeHere(['token', 'verify', tokenOf(usual), '--key', publicFile, ...flags], at(NOW))
    expect(await ask()).toMatchObject({ code: 2, stderr: expect.stringContaining('needs --issuer, or') })
    expect(await ask('--issuer', usual.iss)).toMatchObject({
      code: 2,
      stderr: 'mapae token verify --key needs --audience, or --dangerously-accept-any-audience.\n',
    })
    expect(await ask('--dangerously-accept-any-issuer', '--dangerously-accept-any-audience')).toMatchObject({
      code: 0,
    })
    expect(await ask('--issuer', usual.iss, '--dangerously-accept-any-issuer')).toMatchObject({ code: 2 })
  })

  test('a key set by URL stands for its own server, unless another issuer and audience are named', async () => {
    const url = await serveKeys()
    const ask = (claims: JwtClaims, ...flags: string[]) =>
      mapaeHere(['token', 'verify', tokenOf(claims), '--jwks', `${url}/jwks.json`, ...flags], at(NOW))
    const good = await ask({ ...usual, iss: url, aud: url }, '--json')
    expect(good.code).toBe(0)
    expect(JSON.parse(good.stdout)).toEqual({
      valid: true,
      kid: key.kid,
      header: { alg: 'ES256', typ: 'at+jwt', kid: key.kid },
      claims: { ...usual, iss: url, aud: url },
    })
    expect((await ask(usual)).stderr).toMatch(/^✗ refused \(issuer_mismatch\)/)
    expect((await ask({ ...usual, iss: url })).stderr).toMatch(/^✗ refused \(audience_mismatch\)/)
    expect((await ask(usual, '--issuer', usual.iss, '--audience', usual.aud)).code).toBe(0)
  })

  test('a key set that cannot be had says nothing of the token: one sentence, and no verdict', async () => {
    const url = await serveKeys()
    for (const [where, sentence] of [
      [`${url}/nothing`, `The key set was answered with status 404: ${url}/nothing.`],
      ['http://localhost:1/', 'The key set could not be fetched: http://localhost:1/.'],
      ['http://id.example.com/jwks', 'The location of a key set must be an https URL.'],
      ['nonsense', /needs --issuer|is not a URL/],
    ] as const) {
      const args = ['token', 'verify', tokenOf(usual), '--jwks', where, '--json']
      const { code, stdout, stderr } = await mapaeHere(args)
      expect([code > 0, stdout]).toEqual([true, ''])
      if (typeof sentence === 'string') expect(stderr).toBe(`${sentence}\n`)
      else expect(stderr).toMatch(sentence)
    }
  })
})

describe('token lint', () => {
  test('has nothing to say against a sound token, whether or not it has expired since', async () => {
    for (const now of [NOW, NOW + 10_000]) {
      const { code, stdout } = await mapaeHere(['token', 'lint', tokenOf(usual)], at(now))
      expect(code).toBe(0)
      expect(stdout).toMatch(/^✓ nothing to say against it\n/)
      expect(stdout).toMatch(/^ {2}payload +\d+ {2}█+$/m)
    }
  })

  test('refuses secrets, names them, and never repeats their values', async () => {
    const claims = { ...usual, password: 'hunter2hunter2', user: { card: '4111 1111 1111 1111' } }
    const { code, stdout } = await mapae(['token', 'lint'], { stdin: forged({ alg: 'ES256' }, claims) })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^✗ refused\n/)
    expect(stdout).toContain('✗ password is named like a secret.')
    expect(stdout).toContain('✗ user.card looks like a payment card number.')
    expect(stdout).not.toMatch(/hunter2|4111/)
  })

  test('warns of personal data and of a token that never ends, and that is no failure', async () => {
    const { code, stdout } = await mapaeHere(['token', 'lint', '--json'], {
      stdin: tokenOf({ ...usual, exp: undefined, email: 'me@example.com' }, 'JWT'),
    })
    expect(code).toBe(0)
    const { verdict, problems } = JSON.parse(stdout)
    expect(verdict).toBe('warn')
    expect(problems).toEqual([
      { severity: 'warning', where: 'claims', description: 'The token never expires (exp).' },
      { severity: 'warning', where: 'claims', description: 'email is named like personal data.' },
    ])
  })

  test('refuses personal data in an access token, which every API gets', async () => {
    const { code, stdout } = await mapaeHere([
      'token',
      'lint',
      tokenOf({ ...usual, email: 'me@example.com' }),
    ])
    expect(code).toBe(1)
    expect(stdout).toContain('✗ email is named like personal data.')
    expect(stdout).not.toContain('me@example')
  })

  test('weighs a token, names its fattest claims, and refuses one above its budget', async () => {
    const token = tokenOf({ ...usual, permissions: 'x'.repeat(600), groups: ['y'.repeat(200)] })
    const warned = await mapaeHere(['token', 'lint', token])
    expect(warned.code).toBe(0)
    expect(warned.stdout).toContain(
      `! The token has ${token.length} characters, and every request carries it.`,
    )
    expect(warned.stdout).toMatch(
      /The fattest claims\n {2}permissions +8\d\d {2}█+\n {2}groups +2\d\d {2}█+\n/,
    )

    const large = tokenOf({ ...usual, permissions: 'x'.repeat(1500) })
    expect((await mapaeHere(['token', 'lint', large])).code).toBe(1)
    expect((await mapaeHere(['token', 'lint', large, '--budget', '4000'])).code).toBe(0)
    const { verdict, budget, size, problems } = JSON.parse(
      (await mapaeHere(['token', 'lint', token, '--budget', '1000', '--json'])).stdout,
    )
    expect([verdict, budget, size.length]).toEqual(['refuse', 1000, token.length])
    expect(size.claims[0].name).toBe('permissions')
    expect(problems).toEqual([
      {
        severity: 'error',
        where: 'token',
        description: `The token has ${token.length} characters, and its budget ends at 1000.`,
      },
    ])
  })

  test('refuses what is no signature, and what is no JWT', async () => {
    expect(await mapaeHere(['token', 'lint', forged({ alg: 'none' }, usual, '')])).toMatchObject({ code: 1 })
    expect(await mapaeHere(['token', 'lint', 'hello'])).toMatchObject({ code: 1, stdout: '' })
  })

  test('claims are named on a terminal escaped', async () => {
    const { stdout } = await mapaeHere(['token', 'lint', tokenOf({ ...usual, 'pass\u001b[2Jword': 'abc' })])
    expect(stdout).toContain('pass\\u001b[2Jword')
    expect(stdout).not.toContain('\u001b')
  })
})

async function keyFiles(): Promise<{ file: string; publicFile: string }> {
  const folder = await temporaryFolder()
  const [file, publicFile] = [join(folder, 'private.jwk'), join(folder, 'public.jwk')]
  await writeFile(file, JSON.stringify(exportJwk(key, { dangerouslyIncludePrivate: true })), { mode: 0o600 })
  await writeFile(publicFile, JSON.stringify(exportJwk(key)))
  return { file, publicFile }
}

/** A server with our key set at /jwks.json. */
async function serveKeys(): Promise<string> {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/jwks.json' ? 200 : 404
    response.end(JSON.stringify({ keys: [exportJwk(key)] }))
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())))
  const { port } = server.address() as AddressInfo
  return `http://localhost:${port}`
}
