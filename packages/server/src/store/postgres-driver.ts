import { createHash } from 'node:crypto'
import { type Driver, PostgresDriver, type PostgresPool, type PostgresPoolClient } from 'kysely'
import pg from 'pg'

const INT8 = 20
const FLOAT8 = 701
const CONNECTIONS = 20
const CONNECT_TIMEOUT = 5000
const STATEMENT_TIMEOUT = 10_000
/** PostgreSQL gives a statement up before we do: what we answered with 503 must not be done later after all. */
const SERVER_TIMEOUT = STATEMENT_TIMEOUT - 1000

/**
 * What a connection answers to every later statement as well, so that another one has to take its place: 26000, a prepared
 * statement that is gone; 0A000, a plan for tables that were changed since; 25006, a server that has become a read-only replica.
 */
const OF_NO_MORE_USE: ReadonlySet<string | undefined> = new Set(['26000', '0A000', '25006'])

/** A pool of connections whose statements are prepared once each and whose tables are found in `schema`. */
export function postgresDriver({ url, schema }: { url: string; schema: string }): Driver {
  const pool = new pg.Pool({
    connectionString: withParameters(url, schema),
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    query_timeout: STATEMENT_TIMEOUT,
    keepAlive: true,
    types: {
      getTypeParser: (oid, format) =>
        oid === INT8 || oid === FLOAT8 ? Number : pg.types.getTypeParser(oid, format),
    },
  })
  // A connection that dies fails its own query; without listeners it would take the process down as well.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return new PostgresDriver({ pool: preparing(pool) })
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

function preparing(pool: pg.Pool): PostgresPool {
  return {
    async connect() {
      const client = await pool.connect()
      let broken = false
      const query = async (text: string, values: readonly unknown[]) => {
        if (broken) throw new Error('the connection is broken')
        try {
          return await client.query({ text, values: [...values], name: nameOf(text) })
        } catch (thrown) {
          // What is no answer of PostgreSQL (a timeout, a lost connection) leaves a connection of unknown state.
          broken = !(thrown instanceof pg.DatabaseError) || OF_NO_MORE_USE.has(thrown.code)
          throw thrown
        }
      }
      return asKyselyClient({ query, release: () => client.release(broken) })
    },
    end: () => pool.end(),
  }
}

/** Kysely's client also has a cursor form, for streaming, which Mapae does not use. */
function asKyselyClient(client: { query: unknown; release(): void }): PostgresPoolClient {
  return client as PostgresPoolClient
}

const names = new Map<string, string>()
function nameOf(text: string): string {
  const known = names.get(text)
  if (known) return known
  const name = createHash('sha256').update(text).digest('base64url')
  if (names.size < 1000) names.set(text, name)
  return name
}
