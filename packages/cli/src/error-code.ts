/** The `code` of an error of Node's, such as `ENOENT`; undefined for what has none. */
export function errorCode(thrown: unknown): unknown {
  return thrown instanceof Error ? Reflect.get(thrown, 'code') : undefined
}
