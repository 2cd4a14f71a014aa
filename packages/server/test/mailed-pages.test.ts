import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { routes } from '../src/routes.ts'
import { type MailingAuth, startMailingAuth } from './mailbox.ts'
import { readTables } from './read-database.ts'
import { type Answer, type CallOptions, PASSWORD, someEmail, startAuth, URL_OF_AUTH } from './start-auth.ts'

const OWN_PAGE = { origin: URL_OF_AUTH, 'sec-fetch-site': 'same-origin', accept: 'text/html' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const NEW_PASSWORD = 'new & strange = 비밀번호 + 100%'

/** What a browser sees: what a form of the page would send, and whether there is one. */
function formOf({ text }: Answer) {
  const [, action = ''] = /<form method="post" action="([^"]+)">/.exec(text) ?? []
  const [, code = ''] = /name="code" value="([^"]*)"/.exec(text) ?? []
  return { action, code, asksPassword: text.includes('type="password"') }
}

describe.each(databases)('the pages that mails lead to, on $name', (database) => {
  let server: MailingAuth
  let first: MailingAuth
  beforeAll(async () => {
    server = await startMailingAuth(database)
    first = await startMailingAuth(database, { registration: 'verify-first' })
  })

  const see = (path: string, options: CallOptions = {}) => server.call('GET', path, options)
  const submit = (
    path: string,
    fields: Record<string, string>,
    options: CallOptions = {},
    at: Pick<MailingAuth, 'call'> = server,
  ) =>
    at.call('POST', path, {
      raw: new URLSearchParams(fields).toString(),
      ...options,
      headers: { ...FORM, ...OWN_PAGE, ...Object.fromEntries(new Headers(options.headers)) },
    })
  const resetCode = async (email: string) => {
    await server.call('POST', '/auth/password/forgot', { body: { email } })
    return server.codeTo(email, '/reset-password')
  }

  test('a forgotten password, without scripts: ask, read the mail, choose, log in', async () => {
    const { email } = await server.person()
    const asking = await see('/forgot-password')
    expect([asking.status, formOf(asking).action]).toEqual([200, '/forgot-password'])
    expect((await submit('/forgot-password', { email })).status).toBe(200)

    const code = await server.codeTo(email, '/reset-password')
    const page = await see(`/reset-password?code=${code}`)
    expect(page.status).toBe(200)
    expect(formOf(page)).toEqual({ action: '/reset-password', code, asksPassword: true })
    expect(page.text).toContain(email)
    expect(page.text, 'for password managers').toMatch(/type="password"[^>]* autocomplete="new-password"/)
    expect(page.text, 'the rules').toContain('at least 8 characters')

    const done = await submit('/reset-password', { code, password: NEW_PASSWORD })
    expect([done.status, formOf(done).action]).toEqual([200, ''])
    expect(Object.keys(done.cookies), 'which logs nobody in').toEqual(['__Host-mapae_device'])
    expect((await server.login({ email, password: NEW_PASSWORD })).status).toBe(200)
  })

  test('looking at a page uses nothing up, however often, whoever looks', async () => {
    const { email } = await server.person()
    const code = await resetCode(email)
    const before = await readTables(server.database)
    for (const method of ['GET', 'HEAD', 'GET'])
      expect((await server.call(method, `/reset-password?code=${code}`)).status).toBe(200)
    expect(await readTables(server.database)).toEqual(before)
    expect((await submit('/reset-password', { code, password: NEW_PASSWORD })).status).toBe(200)
  })

  test.each([
    ['zqxjkvb', 'password is too short'],
    ['password', 'easy to guess'],
    ['k'.repeat(1025), 'too long'],
  ])('the password %.10s is refused in words, and the form is there again', async (password, words) => {
    const { email } = await server.person()
    const code = await resetCode(email)
    const page = await submit('/reset-password', { code, password })
    expect(page.status).toBe(400)
    expect(page.text).toMatch(new RegExp(`role="alert">[^<]*${words}`))
    expect(formOf(page).code).toBe(code)
    expect(page.text).not.toContain(password.repeat(2))
    expect((await submit('/reset-password', { code, password: NEW_PASSWORD })).status).toBe(200)
  })

  describe('an address is proved', () => {
    test('with the password, where nobody is logged in', async () => {
      const { access_token: token, verification = '' } = await server.person()
      const page = await see(`/verify-email?code=${verification}`)
      expect(formOf(page)).toEqual({ action: '/verify-email', code: verification, asksPassword: true })
      const without = await submit('/verify-email', { code: verification })
      expect([without.status, formOf(without).asksPassword]).toEqual([403, true])
      const wrong = await submit('/verify-email', { code: verification, password: 'not the password' })
      expect(wrong.status).toBe(403)
      expect(wrong.text).toContain('That password is not right.')
      expect((await submit('/verify-email', { code: verification, password: PASSWORD })).status).toBe(200)
      const me = await server.call('GET', '/auth/me', { token })
      expect(me.json.user.email_verified).toBe(true)
    })

    test('with one button, where the browser is logged in, its access token expired or not', async () => {
      const { email } = await server.person()
      const { cookies } = await server.login({ email, transport: 'cookie' })
      for (const wait of [0, 1000]) {
        server.clock.advance(wait)
        const { json } = await server.login({ email })
        await server.call('POST', '/auth/email/change', {
          token: json.access_token,
          body: { email: email.toUpperCase(), password: PASSWORD },
        })
        const code = await server.codeTo(email.toUpperCase(), '/verify-email')
        const page = await see(`/verify-email?code=${code}`, { cookies })
        expect(formOf(page)).toEqual({ action: '/verify-email', code, asksPassword: false })
        expect((await submit('/verify-email', { code }, { cookies })).status).toBe(200)
      }
    })

    test('not with the cookies of somebody else', async () => {
      const { verification = '' } = await server.person()
      const other = await server.person()
      const { cookies } = await server.login({ email: other.email, transport: 'cookie' })
      const page = await see(`/verify-email?code=${verification}`, { cookies })
      expect(formOf(page).asksPassword).toBe(true)
      expect((await submit('/verify-email', { code: verification }, { cookies })).status).toBe(403)
    })
  })

  test('a registration is finished, and the browser is logged in', async () => {
    const email = someEmail()
    await first.call('POST', '/auth/register', { body: { email } })
    const code = await first.codeTo(email, '/finish-registration')
    const page = await first.call('GET', `/finish-registration?code=${code}`)
    expect(formOf(page)).toEqual({ action: '/finish-registration', code, asksPassword: true })
    const short = await submit('/finish-registration', { code, password: 'short' }, {}, first)
    expect([short.status, formOf(short).code]).toEqual([400, code])
    const done = await submit('/finish-registration', { code, password: NEW_PASSWORD }, {}, first)
    expect(done.status).toBe(200)
    const me = await first.call('GET', '/auth/me', {
      cookies: done.cookies,
      headers: { origin: URL_OF_AUTH },
    })
    expect(me.json.user).toMatchObject({ email, email_verified: true })
  })

  test.each(['/verify-email', '/reset-password', '/finish-registration'])(
    '%s says that a link does not work any more',
    async (path) => {
      const fields = { password: NEW_PASSWORD }
      for (const page of [
        await see(path),
        await see(`${path}?code=`),
        await see(`${path}?code=${'A'.repeat(43)}`),
        await see(`${path}?code=%3Cscript%3E`),
        await submit(path, { code: 'A'.repeat(43), ...fields }),
      ]) {
        expect(page.status).toBe(400)
        expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
        expect(page.text).toContain('This link does not work any more')
        expect(page.text).not.toContain('<form')
        expect(page.text).not.toContain('<script')
      }
    },
  )

  test('asking with an unknown address shows the page that a known one shows, to the byte', async () => {
    const { email } = await server.person()
    const known = await submit('/forgot-password', { email })
    const unknown = await submit('/forgot-password', { email: someEmail() })
    expect([unknown.status, unknown.text]).toEqual([known.status, known.text])
    expect([...unknown.headers]).toEqual([...known.headers])
    const none = await submit('/forgot-password', { email: 'none' })
    expect([none.status, formOf(none).action]).toEqual([400, '/forgot-password'])
  })

  test('every page is kept nowhere, embedded nowhere, sends no address abroad and runs nothing', async () => {
    const { email } = await server.person()
    const code = await resetCode(email)
    for (const page of [
      await see(`/reset-password?code=${code}`),
      await see('/verify-email?code=x'),
      await see('/finish-registration?code=x'),
      await see('/forgot-password'),
      await submit('/reset-password', { code, password: 'short' }),
    ]) {
      expect(page.headers.get('cache-control')).toBe('no-store')
      expect(page.headers.get('referrer-policy'), 'its own form must say where it comes from').toBe(
        'same-origin',
      )
      expect(page.headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'$/,
      )
      expect(page.text).not.toMatch(/<script|<link|<img|src=|https?:\/\//)
    }
  })

  test.each([
    ['ko', '<html lang="ko">', '새 비밀번호 정하기'],
    ['en', '<html lang="en">', 'Choose a new password'],
  ])('a page is in the language %s', async (accepted, html, title) => {
    const { email } = await server.person()
    const code = await resetCode(email)
    const page = await see(`/reset-password?code=${code}`, { headers: { 'accept-language': accepted } })
    expect(page.text).toContain(html)
    expect(page.text).toContain(`<h1>${title}</h1>`)
    expect(page.headers.get('content-language')).toBe(accepted)
  })

  test('an address with marks is shown as text', async () => {
    const email = `o'neil&co-${database.name}@example.com`
    await server.person({ email })
    await server.mailsTo(email)
    const page = await see(`/reset-password?code=${await resetCode(email)}`)
    expect(page.text).toContain("o'neil&amp;co")
    expect(page.text).not.toContain('l&co')
  })

  describe('a form', () => {
    const forms = routes.filter((route) => route.form).map(({ path }) => path)

    test.each([
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
    ])('of another page is refused, as a page: %j', async (headers) => {
      const before = await readTables(server.database)
      for (const path of forms) {
        const page = await submit(path, { code: 'x', password: PASSWORD, email: someEmail() }, { headers })
        expect([page.status, page.headers.get('content-type')]).toEqual([403, 'text/html; charset=utf-8'])
        expect(page.text).toContain('That was not sent from this page')
      }
      expect(await readTables(server.database)).toEqual(before)
    })

    test('that is refused is a problem document to who asked for no page', async () => {
      const answer = await submit(
        '/reset-password',
        {},
        { headers: { accept: 'application/json', origin: 'https://evil.example' } },
      )
      expect([answer.status, answer.json.code]).toEqual([403, 'origin_not_allowed'])
    })

    test.each([
      ['bytes that are no UTF-8', 'code=x&password=%ff%ffabcdefgh'],
      ['half an escape', 'code=x&password=100%'],
      ['no field', ''],
      ['a field of another name', 'kode=x&pass=y'],
      ['a code that is too long', `code=${'k'.repeat(300)}&password=abcdefghij&email=${'k'.repeat(300)}`],
    ])('with %s is malformed', async (_, raw) => {
      for (const path of forms) {
        const answer = await server.call('POST', path, {
          raw,
          headers: { ...FORM, origin: URL_OF_AUTH },
        })
        expect([answer.status, answer.json.code], path).toEqual([400, 'invalid_request'])
      }
    })

    test('of another type, and one that is too large, is refused', async () => {
      for (const path of forms) {
        const headers = { origin: URL_OF_AUTH }
        const json = await server.call('POST', path, { body: { code: 'x', password: PASSWORD }, headers })
        expect([json.status, json.json.code], path).toEqual([415, 'unsupported_media_type'])
        const large = await server.call('POST', path, {
          raw: `code=x&password=${'k'.repeat(17_000)}`,
          headers: { ...FORM, ...headers },
        })
        expect([large.status, large.json.code], path).toEqual([413, 'body_too_large'])
      }
    })
  })

  test('where there is no mailer, the page says so', async () => {
    const silent = await startAuth(server.database)
    const page = await submit('/forgot-password', { email: someEmail() }, {}, silent)
    expect(page.status).toBe(501)
    expect(page.text).toContain('This server sends no mail.')
  })

  test('the pages option draws them', async () => {
    const own = await startAuth(server.database, {
      mailer: server.mailbox.mailer,
      pages: (name, data) => new Response(`${name} ${JSON.stringify(data)}`),
    })
    const page = await own.call('GET', '/reset-password?code=x', { headers: { 'accept-language': 'ko' } })
    expect(page.status).toBe(400)
    expect(page.text).toBe(
      `reset-password ${JSON.stringify({ url: URL_OF_AUTH, language: 'ko', state: 'expired' })}`,
    )
    expect(page.headers.get('cache-control')).toBe('no-store')
  })
})
