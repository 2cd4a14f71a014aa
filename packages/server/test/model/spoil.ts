import { createSigner, generateKey } from '@mapae/jwt'
import { generationOf, type Message, type Party, type Spoil, type World } from './world.ts'

/** A request with the tokens that a party holds, one of them exchanged for what must prove nothing. */
export function spoiled(world: World, by: Party, spoil: Spoil): Message {
  const { access, refresh } = by.store.pair
  const message = { by, tab: 'A', spoil, restores: world.restores, attempt: undefined }
  const generation = generationOf(refresh)
  switch (spoil) {
    case 'without the access token':
      return { ...message, pair: { access: undefined, refresh }, generation }
    case 'with an access token that was tampered with':
      return { ...message, pair: { access: tampered(access), refresh }, generation }
    case 'with an access token of another session':
      return { ...message, pair: { access: ofAnother(world, by), refresh }, generation }
    case 'with a secret that was made up':
      return { ...message, pair: { access, refresh: withSecret(refresh, madeUp(refresh)) }, generation }
    case 'with the next generation written before the old secret': {
      const next = refresh.replace(`.${generation}.`, `.${generation + 1}.`)
      return { ...message, pair: { access, refresh: next }, generation: generation + 1 }
    }
  }
}

/** Another session's, or where there is none, one that somebody signed with a key of their own. */
function ofAnother(world: World, by: Party): string {
  const other = world.parties.find(({ session }) => session !== by.session)
  return other?.store.pair.access ?? createSigner({ key: generateKey('ES256'), typ: 'at+jwt' })({ exp: 1 })
}

function tampered(token: string): string {
  const [header, payload, signature] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())
  const changed = Buffer.from(JSON.stringify({ ...claims, roles: ['admin'] })).toString('base64url')
  return [header, changed, signature].join('.')
}

function withSecret(refreshToken: string, secret: string): string {
  return [...refreshToken.split('.').slice(0, 3), secret].join('.')
}

function madeUp(refreshToken: string): string {
  const secret = refreshToken.split('.')[3] ?? ''
  return (secret.startsWith('A') ? 'B' : 'A') + secret.slice(1)
}
