import type { App } from '../app.ts'
import type { Visit } from '../http/visit.ts'
import { preferredLanguage } from '../language.ts'
import { plainPages } from '../plain-pages.ts'

/** GET /: what this is and where to go on. */
export async function startPageEndpoint({ ctx }: App, visit: Visit): Promise<Response> {
  const pages = ctx.settings.pages ?? plainPages
  const page = pages('start', {
    url: ctx.settings.url,
    language: preferredLanguage(visit.header('accept-language')),
  })
  // A redirect or a fetched answer takes no more fields, and ours have to go on it.
  return new Response(page.body, page)
}
