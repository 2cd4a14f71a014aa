import type { CompiledQuery } from 'kysely'
import type { Db } from './open-store.ts'

/** A statement with its parameters, not sent yet. */
export type Statement<Row = unknown> = CompiledQuery<Row>

/** Sends a statement without waiting for those before it. */
export type Send = <Row>(statement: Statement<Row>) => Promise<readonly Row[]>

/**
 * Statements that do not wait for each other's answers. They are carried out in the order in which they were sent; those of a transaction
 * go to PostgreSQL in one piece, and so take one way there and back. Resolves when all are answered; where one fails, so does this.
 */
export function together<T>(db: Db, work: (send: Send) => Promise<T>): Promise<T> {
  return db.getExecutor().provideConnection(async (connection) => {
    const sent: Promise<unknown>[] = []
    const send: Send = <Row>(statement: Statement<Row>) => {
      const answered = connection.executeQuery<Row>(statement).then(({ rows }) => rows)
      sent.push(answered)
      return answered
    }
    try {
      return await work(send)
    } finally {
      // Nobody else may have the connection before.
      await Promise.allSettled(sent)
    }
  })
}
