import type { Admission, Guard } from '../guard.ts'
import type { Needs } from '../needs.ts'

/** A token that came over the connection itself. */
export type InBandToken = {
  readonly accessToken: string
  /** The DPoP proof for a token that is bound to a key: of a GET of the connection's URL. @default none: a bearer token */
  readonly proof?: string | undefined
}

/** Needs that nobody's requests do not meet. */
export type ConnectionNeeds = Needs & { readonly optional?: false | undefined }

/** Judges it as it would be in the `Authorization` field of the request that opened the connection. No cookie is at hand. */
export async function checkInBand<Own>(
  guard: Guard<Own>,
  { accessToken, proof }: InBandToken,
  { url, needs }: { readonly url: string; readonly needs: ConnectionNeeds },
): Promise<Admission<Own>> {
  const fields = new Map([['authorization', `${proof === undefined ? 'Bearer' : 'DPoP'} ${accessToken}`]])
  if (proof !== undefined) fields.set('dpop', proof)
  return guard.check({ method: 'GET', url, header: (name) => fields.get(name) }, needs)
}
