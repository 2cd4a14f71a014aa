import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { inject } from 'vitest'
import type {} from './postgres.ts' // the type of what is injected

/** An empty database of one test's own. */
export interface TestDatabase {
  readonly url: string
  /** Removes the database with all that is in it, also under open connections. */
  close(): Promise<void>
}

/**
 * Every database that Mapae runs on:
 *
 *     describe.each(databases)('sessions on $name', ({ open }) => { … const database = await open() … })
 */
export const databases: readonly {
  readonly name: 'sqlite' | 'postgres'
  open(): Promise<TestDatabase>
}[] = [
  { name: 'sqlite', open: openSqlite },
  { name: 'postgres', open: openPostgres },
]

async function openSqlite(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'mapae-test-'))
  return {
    url: `sqlite:${join(folder, 'mapae.db')}`,
    close: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
}

async function openPostgres(): Promise<TestDatabase> {
  const name = `mapae_${randomBytes(8).toString('hex')}`
  await administer(`create database ${name}`)

  const url = new URL(inject('postgresUrl'))
  url.pathname = `/${name}`
  return { url: url.href, close: () => administer(`drop database if exists ${name} with (force)`) }
}

async function administer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
