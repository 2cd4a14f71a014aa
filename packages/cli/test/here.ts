import { PassThrough } from 'node:stream'
import { type Environment, run } from 'mapae'

export interface Where {
  readonly stdin?: string
  /** Whether it talks to a terminal. @default false */
  readonly tty?: boolean
  readonly environment?: Environment
  readonly clock?: () => number
}

/** The command in this process, with streams of its own: what needs no process of its own is quicker to ask here. */
export async function mapaeHere(
  args: readonly string[],
  { stdin, tty = false, environment = {}, clock = Date.now }: Where = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const input = Object.assign(new PassThrough(), { isTTY: tty })
  if (stdin !== undefined) input.end(stdin)
  const printed = { stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr') => ({
    isTTY: tty,
    write(text: string) {
      printed[name] += text
    },
  })
  const io = { stdin: input, stdout: output('stdout'), stderr: output('stderr'), environment, clock }
  return { code: await run(args, io), ...printed }
}
