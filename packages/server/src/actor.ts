import type { Origin } from './origin.ts'

/**
 * Who did something: the account itself (`self`), somebody who has not shown to be the account (`someone`), an
 * administrator or server code (`admin`), or the server on its own (`system`).
 */
export type Actor = 'self' | 'someone' | 'admin' | 'system'

/** In whose name an administrator or server code acts: an id, or a name such as `command`. */
export interface Admin {
  readonly by: string
}

/** Where something comes from that is written down: a request, or an administrator. */
export type Source = Origin | Admin
