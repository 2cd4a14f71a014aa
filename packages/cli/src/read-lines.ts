/** A line of a file; `number` begins at 1. One that is too long, or no UTF-8, has no text. */
export interface Line {
  readonly number: number
  readonly text: string | undefined
}

const LINE_FEED = 0x0a

/** The lines of a stream, one after the other, in memory for one line of at most `longest` bytes. */
export async function* readLines(
  stream: AsyncIterable<Buffer | string>,
  longest: number,
): AsyncGenerator<Line> {
  let number = 1
  let size = 0
  let parts: Buffer[] = []
  const add = (part: Buffer) => {
    size += part.length
    if (size <= longest) parts.push(part)
  }
  const finish = (): Line => {
    const line = { number: number++, text: size <= longest ? decode(Buffer.concat(parts)) : undefined }
    size = 0
    parts = []
    return line
  }

  for await (const chunk of stream) {
    let rest = Buffer.from(chunk)
    for (let end = rest.indexOf(LINE_FEED); end !== -1; end = rest.indexOf(LINE_FEED)) {
      add(rest.subarray(0, end))
      yield finish()
      rest = rest.subarray(end + 1)
    }
    add(rest)
  }
  if (size > 0) yield finish()
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
