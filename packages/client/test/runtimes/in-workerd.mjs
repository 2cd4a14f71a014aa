// Tells the story in a worker of Cloudflare's runtime, for whoever asks: `?how=bound&url=URL`.
import { memoryStore } from '@mapae/client'
import { tell } from './story.mjs'

export default {
  /** @param {Request} request */
  async fetch(request) {
    const asked = new URL(request.url).searchParams
    const store = memoryStore()
    const options = { dangerouslyUnbound: asked.get('how') === 'unbound' }
    /** @type {unknown[]} */
    const lines = []
    await tell({ url: asked.get('url') ?? '', name: 'somebody', options, open: () => store }, (line) =>
      lines.push(line),
    )
    return Response.json(lines)
  },
}
