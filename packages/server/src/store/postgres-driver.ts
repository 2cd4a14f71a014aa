import { createHash } from 'node:crypto'
import { CompiledQuery, type DatabaseConnection, type Driver, type QueryResult } from 'kysely'
import pg from 'pg'

const INT8 = 20
const FLOAT8 = 701
/** Connections at most. */
const READERS = 6
const WRITERS = 14
const CONNECT_TIMEOUT = 5000
/** A connection costs a process of the database, a proof of the password and every statement's plan: a storm is no time to make them anew. */
const IDLE_TIMEOUT = 300_000
/** What stands between drops a connection on which nothing moves. */
const KEEP_ALIVE_DELAY = 30_000
const STATEMENT_TIMEOUT = 10_000
/** PostgreSQL gives a statement up before we do: what we answered with 503 must not be done later after all. */
const SERVER_TIMEOUT = STATEMENT_TIMEOUT - 1000

/**
 * What a connection answers to every later statement as well, so that another one has to take its place: 26000, a prepared
 * statement that is gone; 0A000, a plan for tables that were changed since; 25006, a server that has become a read-only replica.
 */
const OF_NO_MORE_USE: ReadonlySet<string | undefined> = new Set(['26000', '0A000', '25006'])

/**
 * Connections whose statements are prepared once each and whose tables are found in `schema`. What only reads, and so waits for nobody's
 * lock, has connections of its own: who asks is answered however many writes stand in line. A connection is taken for the time of
 * one statement, or of one transaction, in which statements need not wait for the answers of those before.
 */
export function postgresDriver({ url, schema }: { url: string; schema: string }): Driver {
  const connectionString = withParameters(url, schema)
  const trust = { since: Number.NEGATIVE_INFINITY }
  const reads = openPool(connectionString, READERS, trust)
  const writes = openPool(connectionString, WRITERS, trust)
  const transactions = new WeakMap<DatabaseConnection, Lease>()

  return {
    async init() {},

    async acquireConnection() {
      const connection: DatabaseConnection = {
        async executeQuery<R>(query: CompiledQuery) {
          const transaction = transactions.get(connection)
          if (transaction) return transaction.run<R>(query)
          const lease = await take(query.query.kind === 'SelectQueryNode' ? reads : writes)
          return lease.run<R>(query).finally(lease.release)
        },
        streamQuery() {
          throw new Error('streaming is not used with PostgreSQL')
        },
      }
      return connection
    },

    async beginTransaction(connection) {
      transactions.set(connection, await take(writes, BEGIN))
    },
    commitTransaction: (connection) => end(connection, COMMIT),
    rollbackTransaction: async (connection) => transactions.get(connection)?.rollBack(),
    async releaseConnection(connection) {
      transactions.get(connection)?.release()
      transactions.delete(connection)
    },

    async destroy() {
      await Promise.all([reads.pool.end(), writes.pool.end()])
    },
  }

  async function end(connection: DatabaseConnection, query: CompiledQuery): Promise<void> {
    await transactions.get(connection)?.run(query)
  }
}

const BEGIN = CompiledQuery.raw('begin')
const COMMIT = CompiledQuery.raw('commit')
const ROLLBACK = CompiledQuery.raw('rollback')

interface Pool {
  readonly pool: pg.Pool
  /** When a connection answered last. */
  readonly answeredAt: WeakMap<pg.PoolClient, number>
  /** Where one connection fell silent, so may others: those that have not answered since this moment are not used again. */
  readonly trust: { since: number }
}

function openPool(connectionString: string, max: number, trust: Pool['trust']): Pool {
  const pool = new pg.Pool({
    connectionString,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    idleTimeoutMillis: IDLE_TIMEOUT,
    query_timeout: STATEMENT_TIMEOUT,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY,
    pipeline: true,
    types: {
      getTypeParser: (oid, format) =>
        oid === INT8 || oid === FLOAT8 ? Number : pg.types.getTypeParser(oid, format),
    },
  })
  // A connection that dies fails its own query; without listeners it would take the process down as well.
  pool.on('error', () => {})
  const answeredAt = new WeakMap<pg.PoolClient, number>()
  pool.on('connect', (client) => {
    client.on('error', () => {})
    answeredAt.set(client, performance.now())
  })
  return { pool, answeredAt, trust }
}

/** The address with our run-time parameters beside its own `options`, which would take the place of the pool's. */
function withParameters(url: string, schema: string): string {
  const [address, query] = url.split(/\?(.*)/s, 2)
  const parameters = new URLSearchParams(query)
  const options = [
    `-c statement_timeout=${SERVER_TIMEOUT} -c idle_in_transaction_session_timeout=${SERVER_TIMEOUT}`,
    parameters.get('options') ?? '',
    `-c search_path=${schema}`,
  ]
  parameters.set('options', options.join(' '))
  return `${address}?${parameters}`
}

/** A connection that is in somebody's hands. */
interface Lease {
  readonly run: <R>(query: CompiledQuery) => Promise<QueryResult<R>>
  /** A broken connection is closed, and PostgreSQL rolls back what it had begun: what broke it is told, and nothing else. */
  readonly rollBack: () => Promise<void>
  readonly release: () => void
}

/** `first` is sent ahead of the first statement, which fails if it did. */
async function take(from: Pool, first?: CompiledQuery): Promise<Lease> {
  const client = await trusted(from)
  let broken = false
  const send = async (query: CompiledQuery) => {
    if (broken) throw new Error('the connection is broken')
    const sentAt = performance.now()
    try {
      const answer = await client.query({
        text: query.sql,
        values: [...query.parameters],
        // A statement without a name cannot be gone: if BEGIN failed alone, what follows it would be committed one by one.
        ...(query !== first && { name: nameOf(query.sql) }),
      })
      from.answeredAt.set(client, performance.now())
      return answer
    } catch (thrown) {
      // What is no answer of PostgreSQL (a timeout, a lost connection) leaves a connection of unknown state.
      const isAnswer = thrown instanceof pg.DatabaseError
      broken = !isAnswer || OF_NO_MORE_USE.has(thrown.code)
      if (!isAnswer) from.trust.since = Math.max(from.trust.since, sentAt)
      throw thrown
    }
  }
  const before = first && send(first)
  before?.catch(() => {})
  return {
    async run<R>(query: CompiledQuery) {
      const [answer] = await Promise.all([send(query), before])
      return resultOf<R>(answer)
    },
    async rollBack() {
      if (!broken) await send(ROLLBACK)
    },
    release: () => client.release(broken),
  }
}

async function trusted({ pool, answeredAt, trust }: Pool): Promise<pg.PoolClient> {
  for (;;) {
    const client = await pool.connect()
    if ((answeredAt.get(client) ?? 0) >= trust.since) return client
    client.release(true)
  }
}

/** The driver's border: a row has the shape that the statement selected. */
function resultOf<R>({ command, rowCount, rows }: pg.QueryResult): QueryResult<R> {
  const result = { rows: rows as R[] }
  return CHANGES.has(command) ? { ...result, numAffectedRows: BigInt(rowCount ?? 0) } : result
}

const CHANGES: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE'])

const names = new Map<string, string>()
function nameOf(text: string): string {
  const known = names.get(text)
  if (known) return known
  const name = createHash('sha256').update(text).digest('base64url')
  if (names.size < 1000) names.set(text, name)
  return name
}
