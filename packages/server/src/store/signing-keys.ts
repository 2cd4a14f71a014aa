import type { Db } from './open-store.ts'

export interface SigningKeyRecord {
  readonly kid: string
  readonly algorithm: string
  readonly publicJwk: string
  readonly privateWrapped: string
  readonly createdAt: number
  readonly activeFrom: number
  readonly withdrawnAt: number | null
}

/** Every key ever made that may still be needed, the one that signs last first. */
export function allSigningKeys(db: Db): Promise<SigningKeyRecord[]> {
  return db
    .selectFrom('signing_keys')
    .select([
      'kid',
      'algorithm',
      'public_jwk as publicJwk',
      'private_wrapped as privateWrapped',
      'created_at as createdAt',
      'active_from as activeFrom',
      'withdrawn_at as withdrawnAt',
    ])
    .orderBy('active_from', 'desc')
    .orderBy('kid')
    .execute()
}

export async function insertSigningKey(db: Db, key: SigningKeyRecord): Promise<void> {
  await db
    .insertInto('signing_keys')
    .values({
      kid: key.kid,
      algorithm: key.algorithm,
      public_jwk: key.publicJwk,
      private_wrapped: key.privateWrapped,
      created_at: key.createdAt,
      active_from: key.activeFrom,
      withdrawn_at: key.withdrawnAt,
    })
    .execute()
}
