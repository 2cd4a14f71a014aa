import { argon2 } from './argon2.ts'
import { bcrypt } from './bcrypt.ts'
import { pbkdf2 } from './pbkdf2.ts'
import { type HashReading, refused, type Scheme } from './scheme.ts'
import { scrypt } from './scrypt.ts'

/** Every scheme whose hashes are taken. The first that knows a text reads it. */
const schemes: readonly Scheme[] = [argon2, bcrypt, scrypt, pbkdf2]

/** Reads a password hash, or says why it is not taken: malformed, unknown, or too costly to compare with. */
export function readHash(text: string): HashReading {
  for (const scheme of schemes) {
    const reading = scheme.read(text)
    if (reading) return reading
  }
  return refused(`It is no hash of ${schemes.map(({ name }) => name).join(', ')}.`)
}
