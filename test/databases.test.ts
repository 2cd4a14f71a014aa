import { existsSync } from 'node:fs'
import pg from 'pg'
import { expect, it } from 'vitest'
import { databases } from '../test-support/databases.ts'

const [sqlite, postgres] = databases

it('gives every test a PostgreSQL database of its own, and removes it under open connections', async () => {
  const [first, second] = await Promise.all([postgres?.open(), postgres?.open()])
  if (!first || !second) throw new Error('there is no PostgreSQL in the list')
  expect(first.url).not.toBe(second.url)

  const client = new pg.Client({ connectionString: first.url })
  client.on('error', () => {}) // the server ends this connection below
  await client.connect()
  const { rows } = await client.query("select current_setting('server_encoding') as encoding")
  expect(rows).toEqual([{ encoding: 'UTF8' }])

  await Promise.all([first.close(), second.close()])
  await expect(client.query('select 1')).rejects.toThrow()
})

it('gives every test a folder of its own for SQLite, and removes it', async () => {
  const database = await sqlite?.open()
  if (!database) throw new Error('there is no SQLite in the list')
  const folder = database.url.replace(/^sqlite:/, '').replace(/mapae\.db$/, '')
  expect(existsSync(folder)).toBe(true)

  await database.close()
  expect(existsSync(folder)).toBe(false)
})
