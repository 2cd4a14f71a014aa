import type { IdentifierRecord } from './accounts.ts'
import { anyOf, gatheredReads } from './gathered-reads.ts'
import type { Db } from './open-store.ts'
import { prepared } from './prepared.ts'

/** A session, as far as it is judged, with the account that it belongs to. */
export interface SessionUserRecord {
  readonly accountId: string
  /** The account's, again. */
  readonly id: string
  readonly expiresAt: number
  readonly idleExpiresAt: number
  readonly endedAt: number | null
  readonly endReason: string | null
  readonly name: string | null
  readonly epoch: number
  readonly roles: string
  readonly scopes: string
  readonly profile: string | null
  readonly disabledAt: number | null
  readonly deletedAt: number | null
  readonly createdAt: number
}

/** All that `GET /auth/me` needs, in one statement. */
export async function findSessionUser(
  db: Db,
  sid: string,
): Promise<
  | { readonly session: SessionUserRecord; readonly identifiers: readonly IdentifierRecord[] }
  | { readonly session?: undefined; readonly identifiers: readonly [] }
> {
  const rows = await sessionUsersById(db, sid)
  const [session] = rows
  return session ? { session, identifiers: rows.flatMap(identifierOf) } : { identifiers: [] }
}

const sessionUsersById = gatheredReads<Row>({
  one: prepared((db, { id }) => select(db).where('sessions.id', '=', id)),
  many: prepared((db, { ids }) => select(db).where('sessions.id', '=', anyOf(ids))),
  idOf: ({ sid }) => sid,
})

type Row = SessionUserRecord & { readonly sid: string } & OrNull<IdentifierRecord>
type OrNull<T> = { readonly [Name in keyof T]: T[Name] | null }

function select(db: Db) {
  return db
    .selectFrom('sessions')
    .innerJoin('accounts', 'accounts.id', 'sessions.account_id')
    .leftJoin('identifiers', 'identifiers.account_id', 'accounts.id')
    .select([
      'sessions.id as sid',
      'sessions.account_id as accountId',
      'accounts.id as id',
      'sessions.expires_at as expiresAt',
      'sessions.idle_expires_at as idleExpiresAt',
      'sessions.ended_at as endedAt',
      'sessions.end_reason as endReason',
      'accounts.name as name',
      'accounts.epoch as epoch',
      'accounts.roles as roles',
      'accounts.scopes as scopes',
      'accounts.profile as profile',
      'accounts.disabled_at as disabledAt',
      'accounts.deleted_at as deletedAt',
      'accounts.created_at as createdAt',
      'identifiers.kind as kind',
      'identifiers.value as value',
      'identifiers.display as display',
      'identifiers.verified_at as verifiedAt',
    ])
    .orderBy('identifiers.kind')
}

function identifierOf({ kind, value, display, verifiedAt }: OrNull<IdentifierRecord>): IdentifierRecord[] {
  return kind === null || value === null || display === null ? [] : [{ kind, value, display, verifiedAt }]
}
