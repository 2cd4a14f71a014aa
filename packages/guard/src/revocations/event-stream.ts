/** A token of ten thousand entries takes 290,000 characters. */
const LONGEST_EVENT = 1_000_000

/**
 * The data of each event of a server-sent event stream (HTML §9.2.6). Throws for an event that is too long. Looks at each character
 * once: a relay that sends a long event in small pieces must not keep a guard busy.
 */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let pieces: string[] = []
  let length = 0
  /** What the last piece ends with, where that may be the first half of an event's end. */
  let seam = ''
  for await (const chunk of body) {
    const piece = decoder.decode(chunk, { stream: true }).replaceAll('\r', '')
    pieces.push(piece)
    length += piece.length
    const isEnded = (seam + piece).includes('\n\n')
    if (piece !== '') seam = piece.endsWith('\n') ? '\n' : ''
    if (isEnded) {
      const events = pieces.join('').split('\n\n')
      const rest = events.pop() ?? ''
      pieces = [rest]
      length = rest.length
      yield* events.flatMap(dataOf)
    }
    if (length > LONGEST_EVENT) throw new RangeError('an event of the feed is too long')
  }
}

function dataOf(event: string): string[] {
  const lines = event.split('\n').filter((line) => line.startsWith('data:'))
  return lines.length === 0 ? [] : [lines.map((line) => line.slice(5).trimStart()).join('\n')]
}
