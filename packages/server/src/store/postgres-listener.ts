import pg from 'pg'

/** What PostgreSQL is asked to tell at a commit (LISTEN/NOTIFY). */
export const REVOCATIONS_CHANNEL = 'mapae_revocations'

export interface Listening {
  /** Lets go of the connection; nothing is heard any more. */
  close(): Promise<void>
}

const CONNECT_TIMEOUT = 5000
/** Milliseconds until a connection that broke is made again. What is missed meanwhile, the reader's own pace finds. */
const PAUSE = 1000

/** Calls `heard` for each notification, on a connection of its own, for as long as it is not closed. */
export function listenOnPostgres(url: string, heard: () => void): Listening {
  let client: pg.Client | undefined
  let pausing: NodeJS.Timeout | undefined
  let isClosed = false
  connect()

  return {
    async close() {
      isClosed = true
      clearTimeout(pausing)
      await client?.end().catch(() => {})
    },
  }

  function connect(): void {
    const made = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_TIMEOUT,
      keepAlive: true,
    })
    const lost = () => {
      made.end().catch(() => {})
      if (client !== made || isClosed) return
      client = undefined
      pausing = setTimeout(connect, PAUSE).unref()
    }
    client = made
    made.on('notification', heard)
    made.on('error', lost)
    made.on('end', lost)
    made
      .connect()
      .then(() => made.query(`listen ${REVOCATIONS_CHANNEL}`))
      .then(heard, lost)
  }
}
