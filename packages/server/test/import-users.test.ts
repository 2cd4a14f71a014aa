import { pbkdf2Sync } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { readHash } from '../src/passwords/read-hash.ts'
import { query, readTables } from './read-database.ts'
import { PASSWORD, START, someEmail, startAuth, startFreshAuth, type TestAuth } from './start-auth.ts'

const OWN = '$argon2id$v=19$m=19456,t=2,p=1$'
const LONG =
  '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored'
const KOREAN = '마패 correct horse'
const BCRYPT = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK'
const SALT = 'AAECAwQFBgcICQoLDA0ODw'
const KEY = 'Rwl0tptW6tyAQKQ498h04/IIlyFcwFY176KXLwxeg5E'

/**
 * Hashes by other hands: crypt_blowfish's own test vectors, the reference implementation of argon2, crypt(3),
 * and Python's hashlib.
 */
const foreign = [
  ['bcrypt $2a$', 'U*U*', BCRYPT],
  ['bcrypt $2y$', 'U*U*', BCRYPT.replace('$2a', '$2y')],
  ['bcrypt $2b$', 'x', '$2b$12$hSgj/Itp7Lq2xJ3V4TxplOE9L9UlH7gT1nMachCPb5moXnGH97U8.'],
  [
    'argon2i',
    'password',
    '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA',
  ],
  [
    'argon2id of another cost',
    KOREAN,
    '$argon2id$v=19$m=65536,t=3,p=4$4f/HchfZ9DUuoP+pWD8+sQ$Hl0o6qQNmd459I8m9Fy7DK4tkU5JqJ/QNu9qp0I0VmA',
  ],
  ['scrypt', KOREAN, `$scrypt$ln=14,r=8,p=1$${SALT}$HMAklhzt8VvetBDHmGi+Vjttg1MrBRIhokbP6bXLgUc`],
  [
    'scrypt as Better Auth keeps it',
    KOREAN,
    '000102030405060708090a0b0c0d0e0f:d5309abf90c529b7806e3987bb4ea65bda3cc57a7bf88ac3c9d9128d547b280657b387678f180c4b885447f18cf2e59122daf921626629c038b80bb3a2e8cd5e',
  ],
  [
    'scrypt with the defaults of Node.js',
    KOREAN,
    '000102030405060708090a0b0c0d0e0f:68299c0ce82aca7c4985f1e3d6eb69fbbc57392750a18241b1658f64327588f772d26ee864e3dfd4cb3f997c8a5aa1628c18a628705857cc4e2c5944599eee38',
  ],
  ['PBKDF2 with SHA-256', KOREAN, `$pbkdf2-sha256$i=1000$${SALT}$${KEY}`],
  [
    'PBKDF2 with SHA-512',
    KOREAN,
    `$pbkdf2-sha512$i=1000,l=64$${SALT}$0Ofg4fAgG0lTA4+bRaYaNR0wW19SA6lt6D7wjti53gITaLIJE+9aSVTfOfpuZlbhP1pcoYiMBMdvUsHmf8uSbw`,
  ],
  [
    'PBKDF2 as Django keeps it',
    KOREAN,
    'pbkdf2_sha256$1000$saltysalt$lKRALQHMFTeSewAcDe3u9YWyknvxrmuN4O0RG2mynxI=',
  ],
] as const

const hashOf = async (server: TestAuth, id: string) => {
  const [row] = await query(server.database, `select password_hash from accounts where id = '${id}'`)
  return String(row?.['password_hash'])
}

describe.each(databases)('users of another system, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database, { passwordHashing: { waiting: 1000 } })
  })
  const imported = async (user: Readonly<Record<string, unknown>>) => {
    const email = someEmail()
    const [outcome] = await server.auth.api.importUsers([{ email, ...user }])
    if (outcome?.type !== 'imported') throw new Error(JSON.stringify(outcome))
    return { email, id: outcome.id }
  }

  test.each(foreign)(
    'log in with a %s, which is replaced by ours then',
    async (_, password, password_hash) => {
      const { email, id } = await imported({ password_hash })
      const wrong = await server.login({ email, password: `${password}!` })
      expect([wrong.status, wrong.json.code]).toEqual([401, 'invalid_credentials'])
      expect(await hashOf(server, id), 'a wrong password replaces nothing').toBe(password_hash)

      expect((await server.login({ email, password })).status).toBe(200)
      const replaced = await hashOf(server, id)
      expect(replaced.slice(0, OWN.length)).toBe(OWN)
      expect((await server.login({ email, password })).status).toBe(200)
      expect(await hashOf(server, id), 'once').toBe(replaced)
      expect((await server.login({ email, password: `${password}!` })).status).toBe(401)
    },
  )

  test('log in with a password that bcrypt cut off, as far as bcrypt looked, and keep that hash', async () => {
    const password_hash = '$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui'
    const { email, id } = await imported({ password_hash })
    expect((await server.login({ email, password: LONG })).status).toBe(200)
    expect((await server.login({ email, password: `${LONG.slice(0, 72)} other` })).status).toBe(200)
    expect(await hashOf(server, id)).toBe(password_hash)
    expect((await server.login({ email, password: LONG.slice(0, 71) })).status).toBe(401)
    expect((await server.login({ email, password: LONG.slice(0, 72) })).status).toBe(200)
    expect((await hashOf(server, id)).slice(0, OWN.length)).toBe(OWN)
  })

  test('log in however their characters are composed, and however the other system composed them', async () => {
    const mixed = 'ｐasse\u0301 한글'
    for (const [form, password] of [
      ['NFC', mixed],
      ['NFKC', mixed],
      ['NFD', mixed.normalize('NFD')],
    ] as const) {
      const salt = Buffer.from('0123456789')
      const key = pbkdf2Sync(password.normalize(form), salt, 1000, 32, 'sha256')
      const b64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
      const { email } = await imported({ password_hash: `$pbkdf2-sha256$i=1000$${b64(salt)}$${b64(key)}` })
      expect((await server.login({ email, password })).status, form).toBe(200)
      const composed = password.normalize('NFC')
      expect((await server.login({ email, password: composed })).status, `${form}, ours`).toBe(200)
    }
  })

  test('keep what they had: id, times, verified address, roles, profile, and being disabled', async () => {
    const email = someEmail()
    const outcome = await server.auth.api.importUsers([
      {
        id: 'auth0|5f7c8ec7c33c6c004bbafe82',
        email,
        email_verified: true,
        username: 'Chunhyang',
        password_hash: BCRYPT,
        name: '  성춘향 ',
        given_name: '춘향',
        locale: 'ko-kr',
        roles: ['admin'],
        scopes: ['orders:write'],
        created_at: 1_600_000_000,
        disabled: true,
      },
    ])
    expect(outcome).toEqual([{ type: 'imported', id: 'auth0|5f7c8ec7c33c6c004bbafe82' }])
    expect(await server.auth.api.findUser('chunhyang')).toEqual({
      id: 'auth0|5f7c8ec7c33c6c004bbafe82',
      email,
      email_verified: true,
      username: 'Chunhyang',
      name: '성춘향',
      given_name: '춘향',
      locale: 'ko-KR',
      roles: ['admin'],
      scopes: ['orders:write'],
      created_at: 1_600_000_000,
      disabled: true,
      last_login_at: null,
    })
    const refused = await server.login({ email, password: 'U*U*' })
    expect(refused.json.code).toBe('account_disabled')
    await server.auth.api.enableUser('auth0|5f7c8ec7c33c6c004bbafe82')
    const { json } = await server.login({ email, password: 'U*U*' })
    expect(json.user.id).toBe('auth0|5f7c8ec7c33c6c004bbafe82')
    expect((await server.call('GET', '/auth/me', { token: json.access_token })).status).toBe(200)
    expect((await server.refresh(json)).status).toBe(200)
  })

  test('need no password, and then none opens the account', async () => {
    const { email } = await imported({})
    for (const password of ['', 'null', 'undefined', PASSWORD])
      expect((await server.login({ email, password })).json.code).toBe('invalid_credentials')
  })

  test('that are there already stay as they are, wherever they meet', async () => {
    const email = someEmail()
    const registered = await server.register({ email, name: 'Before' })
    const batch = [
      { email: email.toUpperCase(), name: 'After' },
      { id: registered.json.user.id, email: someEmail() },
      { email: someEmail(), username: 'twice-in-one' },
      { email: someEmail(), username: 'TWICE-in-one' },
      { username: 'half-new', email },
      { email: 'half-new@example.com', username: 'twice-in-one' },
    ]
    const before = await readTables(server.database)
    const outcomes = await server.auth.api.importUsers(batch)
    const types = ['duplicate', 'duplicate', 'imported', 'duplicate', 'duplicate', 'duplicate']
    expect(outcomes.map(({ type }) => type)).toEqual(types)
    const again = await server.auth.api.importUsers(batch)
    expect(again.map(({ type }) => type)).toEqual(Array(6).fill('duplicate'))

    expect(await server.auth.api.findUser(email)).toMatchObject({ name: 'Before', username: null })
    expect((await server.login({ email })).status).toBe(200)
    const { accounts = [], identifiers = [] } = await readTables(server.database)
    expect(accounts.length - (before['accounts']?.length ?? 0), 'accounts').toBe(1)
    expect(identifiers.length - (before['identifiers']?.length ?? 0), 'and no half of one').toBe(2)
  })

  test.each([
    ['nobody', {}, 'Send email or username.'],
    ['nothing', null, /object/],
    ['a list', [], /object/],
    ['text', 'a@example.com', /object/],
    ['no address', { email: 'me' }, 'The e-mail address is not one.'],
    ['a member that is not one', { email: 'x@example.com', emailVerified: true }, /emailVerified/],
    ['an id with a space', { id: 'a b', email: 'x@example.com' }, /^id: /],
    ['text for true', { email: 'x@example.com', email_verified: 'true' }, /^email_verified: /],
    ['a role that cannot be', { email: 'x@example.com', roles: ['a b'] }, /^A role /],
    ['a scope that cannot be', { email: 'x@example.com', scopes: ['a b'] }, /^A scope /],
    ['milliseconds', { email: 'x@example.com', created_at: START }, /^created_at lies in the future/],
    ['half a second', { email: 'x@example.com', created_at: 1.5 }, /^created_at: /],
    ['a locale that is none', { email: 'x@example.com', locale: 'ko_KR' }, /^locale: /],
    ['a password', { email: 'x@example.com', password: PASSWORD }, /password/],
  ])('that are refused are told why, and the others are imported: %s', async (_, user, reason) => {
    const email = someEmail()
    const outcomes = await server.auth.api.importUsers([user, { email }])
    expect(outcomes).toEqual([
      { type: 'refused', reason: reason instanceof RegExp ? expect.stringMatching(reason) : reason },
      { type: 'imported', id: expect.any(String) },
    ])
    expect(JSON.stringify(outcomes)).not.toMatch(/x@example\.com|correct horse/)
    expect(await server.auth.api.findUser('x@example.com')).toBeUndefined()
  })

  test('log in 20 at once for the first time, in two processes: all are let in, one hash replaces', async () => {
    const { email, id } = await imported({ password_hash: BCRYPT })
    const other = await startAuth(server.database, { passwordHashing: { waiting: 1000 } })
    const logins = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 ? server : other).login({ email, password: 'U*U*' })),
    )
    expect(logins.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect((await hashOf(server, id)).slice(0, OWN.length)).toBe(OWN)
  })

  test('imported by two processes at once are imported once', async () => {
    const other = await startAuth(server.database)
    const batch = Array.from({ length: 150 }, () => ({ email: someEmail() }))
    const [one, two] = await Promise.all([
      server.auth.api.importUsers(batch),
      other.auth.api.importUsers(batch),
    ])
    for (const [index] of batch.entries())
      expect([one[index]?.type, two[index]?.type].sort()).toEqual(['duplicate', 'imported'])
    const events = [...server.events, ...other.events].filter(({ type }) => type === 'account.imported')
    const ids = new Set(events.map((event) => 'accountId' in event && event.accountId))
    for (const outcome of [...one, ...two]) if (outcome.type === 'imported') expect(ids).toContain(outcome.id)
  })
})

describe('a hash that is not taken', () => {
  const argon2 = (parameters: string, salt = SALT, key = KEY) => `$argon2id$v=19$${parameters}$${salt}$${key}`
  const scrypt = (parameters: string, salt = SALT, key = KEY) => `$scrypt$${parameters}$${salt}$${key}`
  test.each([
    ['', /^It is no hash of argon2, bcrypt, scrypt, pbkdf2\.$/],
    ['correct horse battery', /^It is no hash/],
    ['5f4dcc3b5aa765d61d8327deb882cf99', /^It is no hash/],
    ['{SSHA}nU4eI71bcnBGqeO0t9tXvY1u5oQ=', /^It is no hash/],
    ['$1$salt$qJH7.N4xYta3aEG/dfqo/0', /^It is no hash/],
    ['$6$salt$hash', /^It is no hash/],
    [BCRYPT.slice(0, -1), /^It is not a whole bcrypt hash/],
    [`${BCRYPT}x`, /^It is not a whole bcrypt hash/],
    [` ${BCRYPT}`, /^It is no hash/],
    [`${BCRYPT}\n`, /^It is not a whole bcrypt hash/],
    [BCRYPT.replace('$2a$', '$2x$'), /\$2a\$, \$2b\$ and \$2y\$/],
    [BCRYPT.replace('$2a$', '$2$'), /\$2a\$, \$2b\$ and \$2y\$/],
    [BCRYPT.replace('$05$', '$15$'), /cost from 4 to 14/],
    [BCRYPT.replace('$05$', '$31$'), /cost from 4 to 14/],
    [BCRYPT.replace('$05$', '$03$'), /cost from 4 to 14/],
    [argon2('m=19456,t=2,p=1').replace('argon2id', 'argon2d'), /argon2id and argon2i/],
    [argon2('m=19456,t=2,p=1').replace('v=19', 'v=16'), /version 19/],
    [argon2('m=19456,t=2,p=1').replace('v=19$', ''), /not a whole argon2 hash/],
    [argon2('m=262145,t=1,p=1'), /more memory or time/],
    [argon2('m=262144,t=5,p=1'), /more memory or time/],
    [argon2('m=999999999,t=999999999,p=1'), /more memory or time/],
    [argon2('m=8,t=1,p=17'), /cannot be/],
    [argon2('m=7,t=1,p=1'), /cannot be/],
    [argon2('m=8,t=0,p=1'), /cannot be/],
    [argon2('t=2,m=19456,p=1'), /not a whole argon2 hash/],
    [argon2('m=19456,t=2,p=1', SALT, 'AAAA'), /16 to 128 bytes/],
    [argon2('m=19456,t=2,p=1', `${SALT}=`), /base64 without padding/],
    [argon2('m=19456,t=2,p=1', `${SALT.slice(0, -1)}x`), /base64 without padding/],
    [scrypt('ln=18,r=8,p=1'), /more memory or time/],
    [scrypt('ln=17,r=8,p=5'), /more memory or time/],
    [scrypt('ln=99,r=8,p=1'), /more memory or time/],
    [scrypt('ln=0,r=8,p=1'), /cannot be/],
    [scrypt('ln=14,r=0,p=1'), /cannot be/],
    [scrypt('ln=14,r=8'), /not a whole scrypt hash/],
    [scrypt('ln=14,r=8,p=1', '한글'), /base64/],
    [scrypt('ln=14,r=8,p=1', 'A'.repeat(400)), /1 to 128 bytes/],
    [`$pbkdf2-sha256$i=3000001$${SALT}$${KEY}`, /3000000 iterations/],
    [`$pbkdf2-sha256$i=0$${SALT}$${KEY}`, /iterations/],
    [`$pbkdf2-md5$i=1000$${SALT}$${KEY}`, /SHA-256 or SHA-512/],
    [`$pbkdf2$131000$${SALT}$${KEY}`, /SHA-256 or SHA-512/],
    [`pbkdf2_sha256$3000001$salt$${KEY}=`, /3000000 iterations/],
    ['pbkdf2_sha256$1000$salt$AAAA', /16 to 128 bytes/],
  ])('%j', (hash, reason) => {
    const reading = readHash(hash)
    expect(reading).toEqual({ type: 'refused', reason: expect.stringMatching(reason) })
    if (hash.length > 20) expect(JSON.stringify(reading)).not.toContain(hash.slice(-20))
  })

  test('costs about a second at most when it is as costly as may be', async () => {
    for (const hash of [
      argon2('m=262144,t=4,p=1'),
      scrypt('ln=17,r=8,p=4'),
      `$pbkdf2-sha256$i=3000000$${SALT}$${KEY}`,
      BCRYPT.replace('$05$', '$14$'),
    ]) {
      const reading = readHash(hash)
      if (reading.type !== 'hash') throw new Error(hash)
      const before = process.cpuUsage()
      expect(await reading.verify('not the password')).toBe(false)
      const { user, system } = process.cpuUsage(before)
      expect((user + system) / 1e6, hash.slice(0, 30)).toBeLessThan(10)
    }
  }, 300_000)
})
