/** An answer, read: as much of its body as the checks want. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Undefined where the body is no JSON object. */
  readonly json: Readonly<Record<string, unknown>> | undefined
}

const PATIENCE = 10_000
/** No document of the auth server is longer. */
const LONGEST = 1_000_000

/** Sends one request, follows nothing and waits ten seconds at most. Rejects when nobody answers. */
export async function ask(url: URL, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(new URL(path, url), {
    ...init,
    redirect: 'manual',
    signal: AbortSignal.timeout(PATIENCE),
  })
  const { status, headers } = response
  return { status, headers, json: parsed(await start(response)) }
}

/** The body, or an empty text when it is longer than any of ours. */
async function start({ body }: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > LONGEST) return ''
  }
  return text
}

function parsed(text: string): Answer['json'] {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
