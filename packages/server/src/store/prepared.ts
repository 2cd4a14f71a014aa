import type { Compilable, CompiledQuery } from 'kysely'
import type { Db } from './open-store.ts'

/**
 * A statement that is built and compiled once for each database and then run with other parameters: to build one anew
 * costs several times what SQLite takes to answer it. For the statements of every request; `build` must use each
 * parameter as a value, and nothing else of it.
 */
export function prepared<Parameters extends Readonly<Record<string, unknown>>, Row>(
  build: (db: Db, parameters: Parameters) => Compilable<Row>,
): Prepared<Parameters, Row> {
  const compiled = new WeakMap<object, CompiledQuery<Row>>()
  const filled = (db: Db, parameters: Parameters): CompiledQuery<Row> => {
    const { adapter } = db.getExecutor()
    const known = compiled.get(adapter)
    const query = known ?? build(db, marked<Parameters>()).compile()
    if (!known) compiled.set(adapter, query)
    return { ...query, parameters: query.parameters.map(filledFrom(parameters)) }
  }
  const run = async (db: Db, parameters: Parameters) =>
    (await db.executeQuery<Row>(filled(db, parameters))).rows
  return Object.assign(run, { filled })
}

export interface Prepared<Parameters, Row> {
  (db: Db, parameters: Parameters): Promise<Row[]>
  /** The statement with these parameters, to be sent {@link together} with others. */
  readonly filled: (db: Db, parameters: Parameters) => CompiledQuery<Row>
}

/** Stands for a parameter in a compiled statement. */
class Mark {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** Whatever parameter is asked for, its mark. */
function marked<Parameters extends Readonly<Record<string, unknown>>>(): Parameters {
  const marks: unknown = new Proxy({}, { get: (_, name) => new Mark(String(name)) })
  return marks as Parameters
}

function filledFrom(parameters: Readonly<Record<string, unknown>>): (value: unknown) => unknown {
  return (value) => (value instanceof Mark ? parameters[value.name] : value)
}
