import { readdirSync, readFileSync } from 'node:fs'
import { exportJwk, generateKey, signJwt } from '@mapae/jwt'
import { checkBudget, explainJwt, lintClaims, measureToken, refuseSensitiveClaims } from '@mapae/jwt/explain'
import { describe, expect, it } from 'vitest'
import { CLAIMS, clock, expectRefusal, NOW, segment } from './support.ts'

const key = generateKey('ES256')
const token = (claims: Record<string, unknown>, header = {}) => signJwt({ claims, key, clock, header })
const texts = (one: string) =>
  explainJwt(one, { clock })
    .problems.map(({ description }) => description)
    .join(' ')

describe('explainJwt', () => {
  it('takes a token apart and says what each claim means', () => {
    const one = token({ ...CLAIMS, scope: 'read', own: { a: '마패' } })
    const { form, segments, header, claims, headerMembers, claimMembers, times, problems } = explainJwt(one, {
      clock,
    })
    expect(form).toBe('jws')
    expect(segments.join('.')).toBe(one)
    expect(header).toEqual({ alg: 'ES256', typ: 'JWT', kid: key.kid })
    expect(claims).toEqual({ ...CLAIMS, scope: 'read', own: { a: '마패' } })
    expect(headerMembers.map(({ name }) => name)).toEqual(['alg', 'typ', 'kid'])
    expect(claimMembers.find(({ name }) => name === 'exp')).toEqual({
      name: 'exp',
      value: NOW + 300,
      meaning: expect.stringContaining('Expires'),
      moment: { iso: '2026-01-01T00:05:00.000Z', secondsFromNow: 300 },
    })
    expect(claimMembers.find(({ name }) => name === 'own')?.meaning).toBeUndefined()
    expect(times).toEqual({ state: 'valid', expiresIn: 300, lifetime: 300 })
    expect(problems).toEqual([])
  })

  it('tells the states of time apart', () => {
    const state = (claims: Record<string, unknown>) => explainJwt(token(claims), { clock }).times.state
    expect(state({ exp: NOW })).toBe('expired')
    expect(state({ exp: NOW + 1, nbf: NOW + 1 })).toBe('not_yet_valid')
    expect(state({})).toBe('never_expires')
    expect(explainJwt('x').times).toEqual({ state: 'unknown', expiresIn: undefined, lifetime: undefined })
  })

  it('names what is wrong', () => {
    expect(texts(token({ exp: NOW }))).toMatch(/expired.*iss.*sub.*aud/)
    expect(texts(token({ nbf: NOW + 9 }))).toMatch(/not valid yet/)
    expect(texts(token({}))).toMatch(/never expires/)
    expect(texts(token({ ...CLAIMS, exp: NOW + 90_000 }))).toMatch(/longer than a day/)
    expect(texts(token({ ...CLAIMS, exp: NOW * 1000 }))).toMatch(/milliseconds/)
    expect(texts(token({ ...CLAIMS, password: 'x' }))).toMatch(/password is named like a secret/)
    expect(texts(token({ ...CLAIMS, email: 'a@b.c' }))).toMatch(/personal/)
    expect(texts(token(CLAIMS, { jku: 'https://evil.example', jwk: exportJwk(key) }))).toMatch(
      /\(jwk\).*\(jku\)/,
    )
    expect(texts(token({ ...CLAIMS, a: 'x'.repeat(800) }))).toMatch(/every request/)
    expect(texts(token({ ...CLAIMS, a: 'x'.repeat(1500) }))).toMatch(/key stores/)
    expect(texts(`${segment({ alg: 'None' })}.${segment({ exp: 'soon' })}.`)).toMatch(
      /no signature.*none.*typ.*kid.*exp is not a number/,
    )
    expect(texts(`${segment({ crit: ['b64'], b64: false })}.${segment({})}.x`)).toMatch(
      /not canonical.*alg.*extension/,
    )
    expect(texts('')).toMatch(/three segments.*header/)
    expect(texts('a.b')).toMatch(/this has 2/)
    expect(texts(`${segment('{"a":1,"a":2}')}.${segment([])}.AAAA`)).toMatch(/twice.*not a JSON object/)
  })

  it('does not take odd times for moments', () => {
    const { claimMembers } = explainJwt(token({ exp: 1e300, auth_time: 'x' }), { clock })
    expect(claimMembers.every(({ name, moment }) => name === 'iat' || moment === undefined)).toBe(true)
  })

  it('explains the header of an encrypted token', () => {
    const { form, claims, header, problems } = explainJwt(
      `${segment({ alg: 'dir', enc: 'A256GCM', typ: 'JWT', kid: 'a' })}..x.y.z`,
    )
    expect({ form, claims, header, problems }).toMatchObject({
      form: 'jwe',
      claims: undefined,
      header: { enc: 'A256GCM' },
      problems: [],
    })
  })

  it.each(['AA==', 'A', 'AB', 'AAAB=', 'A+AA', 'é', '_w', '7aCA'])(
    'reads %j as strictly as a verifier',
    (text) => {
      expect(explainJwt(`${text}.${text}.AAAA`).header).toBeUndefined()
    },
  )
})

/** 13 digits from 1_801_010_000_000 on, in milliseconds, with the check digit right. */
const RESIDENT_MOMENT = 1_801_011_234_561

describe('lintClaims', () => {
  const refused = (claims: object) =>
    lintClaims(claims as Record<string, unknown>)
      .filter(({ severity }) => severity === 'refuse')
      .map(({ path }) => path)

  it.each([
    'password',
    'user_password',
    'passwordHash',
    'PWD',
    'client_secret',
    'clientSecret',
    'api-key',
    'privateKey',
    'ssn',
    'rrn',
    'credit_card',
    '비밀번호',
    '주민등록번호',
    'refresh_token',
    'https://app.example/claims/password',
    'card_number',
    'cvv',
    'recovery_codes',
    'user_pin',
    'userSSN',
    'urn:example:pin',
    'https://app.example/claims#otp',
    'authToken',
    'session-cookie',
    'signing_key',
    'pass_code',
    '패스워드',
    '운전면허번호',
    'email',
    'userEmail',
    'work_address',
    'phone_number',
    'birthdate',
    'given_name',
    'https://app.example/claims/dateOfBirth',
    '생년월일',
    '휴대폰번호',
    'userPhoneNumber',
    'customer_birth_date',
    'https://app.example/user_first_name',
    'billing_postal_code',
    'owner_tax_id',
  ])('refuses a claim named %s', (name) => {
    expect(refused({ [name]: 'x' })).toEqual([name])
    expect(refused({ a: [{ [name]: 12_345 }] })).toEqual([`a[0].${name}`])
  })

  it('takes a small number for a count or a switch, where it cannot be the thing itself', () => {
    const counts = { email: 1, mail: 100, phone: 0, api_keys: 5, 'refresh-token': 2, address: -1 }
    expect(refused({ quota: counts, ...counts })).toEqual([])
    expect(refused({ pin: 123, cvv: 7, password: 1, ssn: 5 })).toEqual(['pin', 'cvv', 'password', 'ssn'])
  })

  const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth))

  it.each<readonly [string, object]>([
    ['the rights of GitHub', { permissions: { email: 'read', phone: ['read', 'write'], secrets: 'none' } }],
    ['rights of other words', { permissions: { email: 'send.own', address: 'crm:*', mail: 'on-behalf' } }],
    ['rights deeper down', { acl: [{ crm: { email: { send: 'own' }, phone: 'team' } }] }],
    ['settings', { notifications: { email: 'daily', phone: 'OFF' }, consent: { email: 'Granted' } }],
    [
      'what is told of an address',
      { email: { verified: true, changes_left: 5 }, phone: [], mail: [null, ''] },
    ],
    ['what is told of a secret', { otp: 'required', password: 'expired', api_keys: { count: 3 } }],
    ['a pin of a map', { pin: 'top-left', 'https://app.example/pin': { style: 'drop' } }],
    ['a camera that pans', { pan: 'left', view: { pan: [-20, 0.5, 0.1234, 270] } }],
    ['a banner about cookies', { cookie: 'essential', prefs: { cookie: ['ads', 'all cookies'] } }],
  ])('leaves %s alone, whatever it is named like', (_, claims) => {
    expect(refused(claims)).toEqual([])
  })

  it.each<readonly [object, readonly string[]]>([
    [{ permissions: { email: 'kim@example.com' } }, ['permissions.email']],
    [{ permissions: { email: ['read', 'Kim'] } }, ['permissions.email']],
    [
      { permissions: { phone: '01012345678', address: '12 Main St' } },
      ['permissions.phone', 'permissions.address'],
    ],
    [{ permissions: { email: 1000, phone: 1.5 } }, ['permissions.email', 'permissions.phone']],
    [
      { permissions: { password: 'hunter', api_key: 'send-own' } },
      ['permissions.password', 'permissions.api_key'],
    ],
    [{ email: { 'kim@example.com': true } }, ['email']],
    [{ email: { 'a.b.c.d.e': true } }, ['email']],
    [{ email: { verified: 'kim' } }, ['email']],
    [{ email: 'send.own' }, ['email']],
    [{ access: { email: 'send.own' } }, ['access.email']],
    [{ phone: [1000], pin: ['x1'], otp: [123] }, ['phone', 'pin', 'otp']],
    [{ pin: 7, user_pin: 'x' }, ['pin', 'user_pin']],
    [{ pan: '411111******1111' }, ['pan']],
    [{ pan: 'ABCDE1234F', card_pan: 'x' }, ['pan', 'card_pan']],
    [{ pan: '4 1 1 1', other: { pan: 4111 } }, ['pan', 'other.pan']],
    [{ cookie: 'sid=abc' }, ['cookie']],
    [{ cookie: 'abcdefghijklmnopqrstu', session_cookie: 'x' }, ['cookie', 'session_cookie']],
    [{ cookie: ['x', 'a1'], other: { cookie: 'a;b' } }, ['cookie', 'other.cookie']],
    [{ email: nested(18), phone: nested(17) }, ['email']],
  ])('and still refuses %j', (claims, paths) => {
    expect(refused(claims)).toEqual(paths)
  })

  it.each([
    'password_version',
    'lastPasswordChange',
    'password_last_changed_at',
    'password_expiry',
    'password_rotation_days',
    'api_key_id',
    'apiKeyIds',
    'access_key_id',
    'api_key_name',
  ])('leaves %s alone: it tells of a secret, and is none', (name) => {
    expect(refused({ [name]: 'x1' })).toEqual([])
  })

  it.each([
    ['a card', '4111 1111 1111 1111'],
    ['a card without spaces', '5500005555555559'],
    ['an Amex card', '378282246310005'],
    ['a card as a number', 4111111111111111],
    ['a resident registration number', '900101-1234567'],
    ['one without a dash but with its check digit', '9001011234568'],
    ['a social security number', '123-45-6789'],
    ['a PEM', '-----BEGIN PRIVATE KEY-----\nMIIE'],
    ['a password hash', '$argon2id$v=19$m=19456,t=2,p=1$abc$def'],
    ['a bcrypt hash', '$2b$10$abcdefghijklmnopqrstuv'],
    ['a JWT', 'eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.x'],
    ['a refresh token', 'mrt_1.abc.1.def'],
    ['a Stripe key', 'sk_live_1234567890abcdef'],
    ['a GitHub token', 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'],
    ['an AWS key', 'AKIAIOSFODNN7EXAMPLE'],
    ['a card in a sentence', 'paid with 4111-1111-1111-1111, thanks'],
    ['a resident registration number in a sentence', '번호는 900101-1234567입니다'],
    ['one with a space', '900101 1234567'],
    ['a token behind a word', 'Bearer eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.x'],
    ['an encrypted token', 'eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA'],
    ['a hash of Django', 'pbkdf2_sha256$600000$salt$hash'],
    ['a hash of LDAP', '{SSHA}abcdefgh'],
    ['a yescrypt hash', '$y$j9T$abc$def'],
    ['an address with a password', 'postgres://app:hunter2@db.example/app'],
    ['an address with a password alone', 'redis://:hunter2@cache.example'],
    ['a private JWK as text', '{"kty":"EC","crv":"P-256","d":"x"}'],
    ['an ML-DSA JWK as text', '{"priv":"x", "kty" : "AKP"}'],
    ['an ML-DSA JWK', { kty: 'AKP', priv: 'x' }],
    ['a private JWK', { kty: 'EC', d: 'x' }],
    ['a secret JWK', { kty: 'oct', k: 'x' }],
    ['an e-mail address', 'kim@example.com'],
    ['an e-mail address in a sentence', 'Write to Kim.Lee+jobs@mail.example.co.kr, please.'],
    ['an e-mail address of another script', '김@예시.한국'],
    ['an e-mail address behind its scheme', 'mailto:kim@example.com'],
    ['a phone number with the code of a country', '+82 10-1234-5678'],
    ['one of America', '+1 (212) 555-0123'],
    ['one of America without the code', '(212) 555-0123'],
    ['one of a phone in Korea', '010-1234-5678'],
    ['one without dashes', '01012345678'],
    ['one of a house in Korea', '02-123-4567'],
    ['a resident registration number of a child', '170101-3123456'],
  ])('refuses %s by its shape', (_, value) => {
    expect(refused({ note: value })).toEqual(['note'])
    expect(refused({ a: { b: [value] } })).toEqual(['a.b[0]'])
  })

  it('leaves what an access token carries alone', () => {
    const claims = {
      ...CLAIMS,
      jti: 'f3b0c442-98fc-1c14-9afb-4c8996fb9242',
      sid: 'AAECAwQFBgcICQoLDA0ODw',
      client_id: 'web',
      epoch: 3,
      scope: 'read write password:change',
      roles: ['admin'],
      amr: ['pwd', 'otp'],
      auth_time: NOW,
      cnf: { jkt: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs', jwk: exportJwk(key) },
      password_changed_at: NOW,
      has_password: true,
      passport: null,
      secret: '',
      ms: 1_767_225_600_000,
      // A moment in January 2027 that has the shape and the check digit of a resident registration number.
      later: RESIDENT_MOMENT,
      laterAsText: String(RESIDENT_MOMENT),
      facebook_id: '4111111111111111',
      orderIds: [4111111111111111, '5500005555555559'],
      wallet: { address: '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045' },
      uuid: '41111111-1111-4111-8111-111111111111',
      long: '41111111111111111111',
      version: '1.4111111111111111',
      url: 'https://app.example:8080/a@b',
      repository: 'git@git.example.com:app/app.git',
      remote: 'ssh://git@git.example.com/app',
      handle: '@kim',
      mac_address: '02:00:5e:10:00:00',
      product: { name: 'Mapae' },
      email_verified: true,
      offset: '2026-01-01T00:00:00+09:00',
      version2: '1.010-1234-5678',
      digits: '+1234567',
      publicJwk: '{"kty":"EC","x":"d"}',
      shipped: '2026-01-01 00:00:00',
      google: '103547991597142817347',
      order: '4111111111111112',
      date: '2026-01-01 00:00',
      thirteen: '9013011234568',
      day: '9001321234568',
      wrongCheck: '9001011234567',
      deep: JSON.parse(`${'['.repeat(30)}${']'.repeat(30)}`),
    }
    expect(refused(claims)).toEqual([])
  })

  it('looks at what else a claim named as an id holds', () => {
    const ids = { user_id: 'kim@example.com', id: '900101-1234567', key_id: '4111-1111-1111-1111' }
    expect(refused(ids)).toEqual(['user_id', 'id', 'key_id'])
    expect(refused({ paid: '4111111111111111' })).toEqual(['paid'])
    expect(refused({ api_key: `0x${'0a'.repeat(20)}` })).toEqual(['api_key'])
  })

  it('says of what kind each finding is, and the worst of a text that is several', () => {
    const kinds = (claims: object) => lintClaims({ ...claims }).map(({ kind, by, path }) => [kind, by, path])
    expect(kinds({ pin: '1234', ssn: '1', email: 'x' })).toEqual([
      ['secret', 'name', 'pin'],
      ['identity_number', 'name', 'ssn'],
      ['personal_data', 'name', 'email'],
    ])
    const mail = 'kim@example.com'
    expect(kinds({ note: `${mail} 4111111111111111` })).toEqual([['identity_number', 'shape', 'note']])
    expect(kinds({ note: `${mail} -----BEGIN PRIVATE KEY-----` })).toEqual([['secret', 'shape', 'note']])
    expect(kinds({ note: `${mail} 123-45-6789` })).toEqual([['identity_number', 'shape', 'note']])
  })

  it('takes name for a person where it can only be the subject', () => {
    expect(refused({ name: '홍길동' })).toEqual(['name'])
    expect(refused({ 'https://app.example/name': '홍길동' })).toEqual(['https://app.example/name'])
    expect(refused({ plan: { name: 'gold' }, plan_name: 'gold' })).toEqual([])
  })

  it('only warns of personal data where that is asked for, and looks into it for worse', () => {
    const warned = (claims: object) =>
      lintClaims({ ...claims }, { personalData: 'warn' }).map(({ severity, path }) => [severity, path])
    expect(warned({ email: 'a@b.example', contact: 'a@b.example' })).toEqual([
      ['warn', 'email'],
      ['warn', 'contact'],
    ])
    expect(warned({ address: { street: 'x', door: { pin: '1234' } }, phone: '4111111111111111' })).toEqual([
      ['warn', 'address'],
      ['refuse', 'address.door.pin'],
      ['warn', 'phone'],
      ['refuse', 'phone'],
    ])
  })

  it('is stricter with an access token than with one that may be an ID token', () => {
    const severities = (typ: unknown) =>
      explainJwt(
        signJwt({ claims: { ...CLAIMS, email: 'a@b.example' }, key, ...(typ ? { typ: String(typ) } : {}) }),
      )
        .problems.filter(({ description }) => description.includes('email'))
        .map(({ severity }) => severity)
    expect(severities('at+jwt')).toEqual(['error'])
    expect(severities('application/AT+JWT')).toEqual(['error'])
    expect(severities('JWT')).toEqual(['warning'])
  })

  it('is enforced by refuseSensitiveClaims unless that is waived aloud', () => {
    expectRefusal(
      () => refuseSensitiveClaims({ pin: '1234', card: '4111111111111111' }),
      'claim_sensitive',
      /pin.*card/,
    )
    expect(refuseSensitiveClaims({ pin: '1234' }, { dangerouslyAllowSensitiveClaims: true })).toHaveLength(1)
    expectRefusal(() => refuseSensitiveClaims({ email: 'a@b.example' }), 'claim_sensitive', /email/)
    expect(refuseSensitiveClaims({ email: 'a@b.example' }, { personalData: 'warn' })).toHaveLength(1)
    const named = { dangerouslyAllowSensitiveClaims: ['email'] }
    expect(refuseSensitiveClaims({ email: 'a@b.example' }, named)).toHaveLength(1)
    const only = { dangerouslyAllowSensitiveClaims: ['pin'] }
    expect(refuseSensitiveClaims({ pin: '1234' }, only).map(({ claim }) => claim)).toEqual(['pin'])
    expectRefusal(
      () => refuseSensitiveClaims({ pin: '1', a: { pin: '1' } }, only),
      'claim_sensitive',
      /a\.pin/,
    )
    expectRefusal(
      () => refuseSensitiveClaims({ pin: '1' }, { dangerouslyAllowSensitiveClaims: false }),
      'claim_sensitive',
    )
    try {
      refuseSensitiveClaims({ pin: '987654' })
    } catch (error) {
      expect(String(error)).not.toContain('987654')
    }
  })
})

describe('the size budget', () => {
  it('measures each claim, the fattest first', () => {
    const one = token({ ...CLAIMS, big: '가'.repeat(50), small: 1 })
    const measure = measureToken(one)
    expect(measure.length).toBe(one.length)
    expect(measure.header + measure.payload + measure.signature + 2).toBe(one.length)
    expect(measure.claims[0]).toEqual({ name: 'big', length: Math.ceil((150 + 9) * (4 / 3)) })
    const sum = measure.claims.reduce((total, { length }) => total + length, 0)
    expect(Math.abs(sum - measure.payload)).toBeLessThan(measure.claims.length + 2)
    expect(measureToken('x').claims).toEqual([])
    expect(measureToken('a.!.b').claims).toEqual([])
  })

  it('is fine, warns from 1024 characters on and refuses from 1800 on, naming the fattest claims', () => {
    const pad = (length: number) => 'a'.repeat(length)
    expect(checkBudget(pad(1023)).verdict).toBe('ok')
    expect(checkBudget(pad(1024)).verdict).toBe('warn')
    expect(checkBudget(pad(1799)).verdict).toBe('warn')
    expectRefusal(() => checkBudget(pad(1800)), 'token_too_large', /none/)
    expectRefusal(
      () => checkBudget(token({ ...CLAIMS, menu: pad(1500) })),
      'token_too_large',
      /menu \(\d+\), iss/,
    )
    expectRefusal(() => checkBudget(pad(10), { refuse: 10 }), 'token_too_large')
    expect(checkBudget(pad(10), { warn: 10, refuse: 11 }).verdict).toBe('warn')
    for (const wrong of [0, -1, Number.NaN]) {
      expectRefusal(() => checkBudget('a', { warn: wrong }), 'options_invalid')
      expectRefusal(() => checkBudget('a', { refuse: wrong }), 'options_invalid')
    }
  })
})

describe('the subpath', () => {
  it('imports nothing of Node', () => {
    const seen = new Set<string>()
    const visit = (path: string) => {
      if (seen.has(path)) return
      seen.add(path)
      const source = readFileSync(new URL(path, import.meta.url), 'utf8')
      for (const [, target = ''] of source.matchAll(/from '([^']+)'/g)) {
        expect(target).toMatch(/^\.\.?\//)
        visit(new URL(target, new URL(path, import.meta.url)).href)
      }
      expect(source).not.toMatch(/\bBuffer\b|\bprocess\./)
    }
    visit(new URL('../src/explain.ts', import.meta.url).href)
    expect(seen.size).toBeGreaterThanOrEqual(readdirSync(new URL('../src/explain/', import.meta.url)).length)
  })
})
