/**
 * Reads one field of a request by its lower-case name. A field that was sent more than once comes joined with `', '`,
 * as `Headers.get` of fetch does it, and `cookie` joined with `'; '`: a reader that keeps only the first one would
 * hide a smuggled second credential.
 */
export type HeaderReader = (name: string) => string | undefined

/** A field to put on a response: name and value. */
export type HeaderPair = readonly [name: string, value: string]
