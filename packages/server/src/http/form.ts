import type { z } from 'zod'
import { AuthError } from '../auth-error.ts'
import { parse, readBytes } from './body.ts'
import type { Visit } from './visit.ts'

/** A plain form (`application/x-www-form-urlencoded`, WHATWG URL §5.1), parsed by `schema`; of a name sent twice the last counts. */
export async function readForm<T>(visit: Visit, schema: z.ZodType<T>): Promise<T> {
  const type = visit.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded')
    throw new AuthError('unsupported_media_type', 'The body must be application/x-www-form-urlencoded.')
  return parse(Object.fromEntries(fieldsOf(await readBytes(visit))), schema)
}

/** Strict, unlike `URLSearchParams`, which would put other characters into a password for bytes that are no UTF-8. */
function fieldsOf(bytes: Uint8Array): [string, string][] {
  try {
    return new TextDecoder('utf-8', { fatal: true })
      .decode(bytes)
      .split('&')
      .filter(Boolean)
      .map((field) => {
        const [name = '', ...value] = field.split('=').map(decode)
        return [name, value.join('=')]
      })
  } catch (cause) {
    throw new AuthError('invalid_request', 'The form is malformed.', { cause })
  }
}

function decode(part: string): string {
  return decodeURIComponent(part.replaceAll('+', ' '))
}
