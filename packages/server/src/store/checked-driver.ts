import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'
import { StoreError, toStoreError } from './store-error.ts'

const TRIES = 3

/**
 * A driver whose failures are all {@link StoreError}s, and which tries a single statement again
 * when a serialization failure (SQLSTATE 40001) says that it may. Once destroyed it stays so.
 */
export function checkedDriver(driver: Driver): Driver {
  const inner = new WeakMap<DatabaseConnection, DatabaseConnection>()
  const inTransaction = new WeakSet<DatabaseConnection>()
  let opening: Promise<void> | undefined
  let closing: Promise<void> | undefined
  const unwrap = (connection: DatabaseConnection): DatabaseConnection => inner.get(connection) ?? connection

  return {
    async init() {
      if (closing) throw new StoreError('unavailable', 'closed')
      opening = checked(() => driver.init())
      await opening
    },
    async acquireConnection() {
      if (closing) throw new StoreError('unavailable', 'closed')
      const connection = await checked(() => driver.acquireConnection())
      const outer: DatabaseConnection = {
        executeQuery: <R>(query: CompiledQuery) =>
          inTransaction.has(outer)
            ? checked(() => connection.executeQuery<R>(query))
            : retried(() => checked(() => connection.executeQuery<R>(query))),
        streamQuery: <R>(query: CompiledQuery, size?: number): AsyncIterableIterator<QueryResult<R>> =>
          connection.streamQuery<R>(query, size),
      }
      inner.set(outer, connection)
      return outer
    },
    async beginTransaction(connection, settings) {
      inTransaction.add(connection)
      await checked(() => driver.beginTransaction(unwrap(connection), settings))
    },
    commitTransaction: (connection) => checked(() => driver.commitTransaction(unwrap(connection))),
    rollbackTransaction: (connection) => checked(() => driver.rollbackTransaction(unwrap(connection))),
    releaseConnection: (connection) => checked(() => driver.releaseConnection(unwrap(connection))),
    destroy() {
      closing ??= letGo()
      return closing
    },
  }

  async function letGo(): Promise<void> {
    const opened = await opening?.then(
      () => true,
      () => false,
    )
    if (opened) await checked(() => driver.destroy())
  }
}

async function checked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    throw toStoreError(thrown)
  }
}

/** Runs `work` up to three times while it meets serialization conflicts. */
export async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (thrown) {
      if (!(thrown instanceof StoreError) || thrown.code !== 'conflict' || attempt === TRIES) throw thrown
    }
  }
}
