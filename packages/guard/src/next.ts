import { fetchRequest, putFields, responseOf } from './fetch/exchange.ts'
import { asRenewed } from './fetch/renewed-request.ts'
import type { Admission, Anonymous, Guard } from './guard.ts'
import { type ProtectOptions, prepareCheck } from './protect.ts'
import type { Refusal } from './refusal.ts'

export { protect, requireRole, requireScope, requireStepUp, resourceMetadata } from './fetch.ts'

/** What is used of `NextResponse`. */
export type Next = {
  next(init: { readonly request: { readonly headers: Headers } }): Response
}

export type ProxyOptions<Page extends Request = Request> = ProtectOptions & {
  /**
   * What a refused page answers: `(request) => NextResponse.redirect(new URL('/login', request.url))`.
   * @default the guard's refusal
   */
  readonly refused?: ((request: Page, refusal: Refusal) => Response | Promise<Response>) | undefined
}

/**
 * Makes the function of `proxy.ts` for pages: `export const proxy = protectPages(guard, NextResponse)`. A request that is not
 * admitted never renders. A renewed token goes out with the response, and on to the page in place of the expired one, so that
 * {@link checkPage} finds it. Leave route handlers that `protect` themselves out of its `matcher`.
 *
 * @throws GuardError `options_invalid`, when it is made.
 */
export function protectPages<Page extends Request = Request>(
  guard: Guard,
  { next }: Next,
  options: ProxyOptions<Page> = {},
): (request: Page) => Promise<Response> {
  const { refused = (_, refusal) => responseOf(refusal), ...needs } = options
  const check = prepareCheck(guard, needs)
  return async (request) => {
    const checked = check(fetchRequest(request))
    const passage = 'type' in checked ? checked : await checked
    if (passage.type === 'refused') return refused(request, passage)
    const headers = asRenewed(request.headers, passage.headers)
    return putFields(next({ request: { headers } }), passage.headers)
  }
}

/**
 * Judges the request of a server component, by its own token and not by what the proxy said of it:
 * `checkPage(guard, await headers())`. A server action says that it is one, so that a cookie counts only for pages of yours.
 * A token that is renewed here does not go out: that is the proxy's.
 *
 * @throws GuardError `options_invalid`.
 */
export function checkPage<Own>(
  guard: Guard<Own>,
  headers: Pick<Headers, 'get'>,
  options?: PageOptions & { readonly optional?: false | undefined },
): Promise<Admission<Own>>
export function checkPage<Own>(
  guard: Guard<Own>,
  headers: Pick<Headers, 'get'>,
  options: PageOptions,
): Promise<Admission<Own> | Anonymous>
export async function checkPage<Own>(
  guard: Guard<Own>,
  headers: Pick<Headers, 'get'>,
  { isAction = false, ...needs }: PageOptions = {},
): Promise<Admission<Own> | Anonymous> {
  const header = (name: string) => headers.get(name) ?? undefined
  return guard.check({ method: isAction ? 'POST' : 'GET', url: '/', header }, needs)
}

export type PageOptions = ProtectOptions & {
  /** Whether this is a server action, which a form of a page sends. @default false */
  readonly isAction?: boolean | undefined
}
