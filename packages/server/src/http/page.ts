import type { Context } from '../context.ts'
import { preferredLanguage } from '../language.ts'
import type { PageData, PageFrame } from '../pages.ts'
import { plainPages } from '../plain-pages.ts'
import type { Arrival, Visit } from './visit.ts'

/** What every page is told. */
export function frameOf(ctx: Context, { header }: Pick<Arrival, 'header'>): PageFrame {
  return { url: ctx.settings.url, language: preferredLanguage(header('accept-language')) }
}

/** The code that a mailed link carries. It is in the query, because a form without scripts cannot read a fragment. */
export function codeInAddress({ request }: Visit): string {
  return new URL(request.url).searchParams.get('code') ?? ''
}

/** A page, drawn by the `pages` option. One with a code in its address or its form is for one person alone. */
export function drawPage<Name extends keyof PageData>(
  ctx: Context,
  { name, data, status = 200, headers = [] }: Drawing<Name>,
): Response {
  const pages = ctx.settings.pages ?? plainPages
  const drawn = pages(name, data)
  const response = new Response(drawn.body, { status, headers: drawn.headers })
  response.headers.set('cache-control', 'no-store')
  for (const [field, value] of headers) response.headers.append(field, value)
  return response
}

interface Drawing<Name extends keyof PageData> {
  readonly name: Name
  readonly data: PageData[Name]
  readonly status?: number
  readonly headers?: readonly (readonly [string, string])[]
}
