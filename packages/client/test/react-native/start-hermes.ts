import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** What native-side.js asks for. */
type Order =
  | { readonly type: 'say'; readonly line: unknown }
  | { readonly type: 'end'; readonly problem: string | null }
  | { readonly type: 'timer'; readonly id: number; readonly milliseconds: number; readonly repeats: boolean }
  | { readonly type: 'forget' | 'abort'; readonly id: number }
  | ({ readonly type: 'request'; readonly id: number } & RequestOfApp)

interface RequestOfApp {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/**
 * Runs scripts in Hermes, with this process as the native side of an app: its timers and its network. The engine reads from its standard input
 * what it evaluates, line by line. Resolves to what the app said, and to whatever else was printed, when the app has ended.
 */
export async function runInHermes(
  binary: string,
  scripts: readonly string[],
): Promise<{ readonly lines: readonly unknown[]; readonly problems: readonly string[] }> {
  const engine = spawn(binary, ['-Xmicrotask-queue', '-prompt=', '-prompt2=', '-w'])
  const lines: unknown[] = []
  const problems: string[] = []
  const timers = new Map<number, NodeJS.Timeout>()
  const requests = new Map<number, AbortController>()
  const evaluate = (code: string): void => void (engine.stdin.writable && engine.stdin.write(`${code};0\n`))
  const call = (name: string, ...given: readonly unknown[]): void =>
    evaluate(`native.${name}(${given.map(literal).join(', ')})`)

  const answer = async (id: number, request: RequestOfApp): Promise<void> => {
    const stop = new AbortController()
    requests.set(id, stop)
    try {
      call('answered', id, await exchanged(request, stop.signal))
    } catch (error) {
      if (!stop.signal.aborted) call('failed', id, String(error))
    }
  }
  const carryOut = (order: Order): void => {
    switch (order.type) {
      case 'say':
        lines.push(order.line)
        break
      case 'end':
        if (order.problem !== null) problems.push(order.problem)
        engine.stdin.end()
        break
      case 'timer': {
        const start = order.repeats ? setInterval : setTimeout
        timers.set(
          order.id,
          start(() => call('fire', order.id), order.milliseconds),
        )
        break
      }
      case 'forget':
        clearTimeout(timers.get(order.id))
        break
      case 'abort':
        requests.get(order.id)?.abort()
        break
      case 'request':
        void answer(order.id, order)
    }
  }
  createInterface({ input: engine.stdout }).on('line', (line) => {
    const at = line.indexOf('@{')
    if (at >= 0) carryOut(JSON.parse(line.slice(at + 1)))
    else if (line.trim() !== '' && line.trim() !== '0') problems.push(line) // 0: what each line comes to
    if (line.startsWith('Uncaught')) engine.stdin.end()
  })
  engine.stderr.on('data', (text) => problems.push(String(text)))
  for (const script of scripts) evaluate(`(0, eval)(${literal(script)})`)
  await once(engine, 'exit')
  for (const timer of timers.values()) clearTimeout(timer)
  return { lines, problems }
}

/** As the network of a phone has it: whole answers, their fields in one object. */
async function exchanged({ method, url, headers, body }: RequestOfApp, signal: AbortSignal) {
  const response = await fetch(url, { method, headers, body: body ?? null, signal })
  const fields = Object.fromEntries(response.headers)
  return { status: response.status, headers: fields, url: response.url, text: await response.text() }
}

/** In ASCII, which any parser takes. */
function literal(value: unknown): string {
  const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, escaped)
}
