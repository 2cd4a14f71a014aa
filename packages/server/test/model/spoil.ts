import { createSigner, generateKey } from '@mapae/jwt'
import { startDevice } from '../../../../test-support/device.ts'
import { prove, type SentProof } from './proof.ts'
import { namesOf } from './stored.ts'
import { generationOf, type Message, type Party, type Spoil, type World } from './world.ts'

/** A request with the tokens that a party holds, one part of it exchanged for what must prove nothing. */
export async function spoiled(world: World, by: Party, spoil: Spoil): Promise<Message> {
  const { access, refresh } = by.store.pair
  const generation = generationOf(refresh)
  const message = {
    ...{ by, tab: 'A', spoil, restores: world.restores, attempt: undefined },
    scheme: by.session.device ? ('DPoP' as const) : ('Bearer' as const),
    proof: proofOfOwner(world, by),
  }
  const right = { ...message, pair: { access, refresh }, generation }
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
    case 'with a proof that nobody asked for':
    case 'with a proof of another key':
      return { ...right, proof: prove(world, by, await startDevice()) }
    case 'without a proof':
      return { ...right, proof: undefined }
    case 'with its access token as Bearer':
      return { ...right, scheme: 'Bearer' }
    case 'with a proof for another method':
      return { ...right, proof: proofOfOwner(world, by, { method: 'GET' }) }
    case 'with a proof for another address':
      return { ...right, proof: proofOfOwner(world, by, { path: '/auth/me' }) }
    case 'with a proof for another access token':
      return { ...right, proof: proofOfOwner(world, by, { token: ofAnother(world, by) }) }
    case 'with a proof without a nonce':
      return { ...right, proof: proofOfOwner(world, by, { nonce: undefined }) }
    case 'with a proof that was used before':
      return { ...(usedBefore(world, by) ?? { ...right, proof: undefined }), by, spoil }
  }
}

/** By the key of the session, whoever sends it: it may have been made for something else, and caught. */
function proofOfOwner(
  world: World,
  by: Party,
  otherwise?: Parameters<typeof prove>[3],
): SentProof | undefined {
  const { device } = by.session
  return device && prove(world, by, device, otherwise)
}

/** A request that was answered, as it was sent. */
function usedBefore(world: World, { session }: Party): Message | undefined {
  const used = namesOf(session.row)
  return world.sent.findLast(
    ({ by, proof }) => by.session === session && proof !== undefined && used.includes(proof.name),
  )
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
