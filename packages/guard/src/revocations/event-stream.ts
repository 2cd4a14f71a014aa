/** A token of ten thousand entries takes 290,000 characters. */
const LONGEST_EVENT = 1_000_000

/** The data of each event of a server-sent event stream (HTML §9.2.6). Throws for an event that is too long. */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const text = rest + decoder.decode(chunk, { stream: true }).replaceAll('\r', '')
    const end = text.lastIndexOf('\n\n')
    rest = end === -1 ? text : text.slice(end + 2)
    if (rest.length > LONGEST_EVENT) throw new RangeError('an event of the feed is too long')
    if (end !== -1) yield* text.slice(0, end).split('\n\n').flatMap(dataOf)
  }
}

function dataOf(event: string): string[] {
  const lines = event.split('\n').filter((line) => line.startsWith('data:'))
  return lines.length === 0 ? [] : [lines.map((line) => line.slice(5).trimStart()).join('\n')]
}
