import { z } from 'zod'
import { AuthError } from '../auth-error.ts'
import type { Visit } from './visit.ts'

const LARGEST = 16_384

/** Text that both databases can hold: no NUL, no half of a surrogate pair. */
export const text = (longest: number): z.ZodType<string> =>
  z
    .string()
    .max(longest)
    .refine((value) => !value.includes('\0') && value.isWellFormed(), 'must be well-formed text')

/** A password: any characters. It is hashed and never stored, so only its size is bounded here. */
export const password: z.ZodType<string> = z
  .string()
  .max(LARGEST)
  .refine((value) => value.isWellFormed(), 'must be well-formed text')

/** A mailed code; whether it is one of ours is found out by looking. */
export const code: z.ZodType<string> = text(256)

/** The JSON body, parsed by `schema`; unknown members are dropped. An absent body is read as `{}`. */
export async function readBody<T>(visit: Visit, schema: z.ZodType<T>): Promise<T> {
  const bytes = await readBytes(visit)
  if (bytes.length > 0) requireJson(visit)
  return parse(bytes.length === 0 ? {} : parseJson(bytes), schema)
}

/** What was sent, as `schema` has it; refused with `invalid_request` and what is wrong with which member. */
export function parse<T>(sent: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(sent)
  if (parsed.success) return parsed.data
  throw new AuthError('invalid_request', describe(parsed.error), {
    members: { errors: parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })) },
  })
}

/** At most 16 KB. A body whose length is known is read in one piece, which costs far less than its stream. */
export async function readBytes({ request, header, connection }: Visit): Promise<Uint8Array> {
  const declared = header('content-length')
  if (Number(declared ?? 0) > LARGEST) throw new AuthError('body_too_large')
  if (declared !== undefined && connection.lengthIsKept) return whole(request)
  if (!request.body) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of unbroken(request.body)) {
    size += chunk.length
    if (size > LARGEST) throw new AuthError('body_too_large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function whole(request: Request): Promise<Uint8Array> {
  try {
    return new Uint8Array(await request.arrayBuffer())
  } catch (cause) {
    throw brokenOff(cause)
  }
}

/** A client that goes away in the middle is no failure of ours. */
async function* unbroken(body: ReadableStream<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* body
  } catch (cause) {
    throw brokenOff(cause)
  }
}

function brokenOff(cause: unknown): AuthError {
  return new AuthError('invalid_request', 'The body broke off.', { cause })
}

function requireJson({ header }: Visit): void {
  const type = header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') throw new AuthError('unsupported_media_type')
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new AuthError('invalid_json', undefined, { cause })
  }
}

function describe(error: z.ZodError): string {
  const issue = error.issues[0]
  const where = issue?.path.join('.')
  return where ? `${where}: ${issue?.message}` : 'The body must be a JSON object.'
}
