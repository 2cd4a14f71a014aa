import type { Context } from '../context.ts'
import { drawPage, frameOf } from './page.ts'
import { codeOf } from './refuse.ts'

/** A problem as a page, for whoever asked for one (RFC 9110 §12.5.1); with the problem's status and fields. */
export function problemPage(
  ctx: Context,
  request: Request,
  { thrown, problem }: { thrown: unknown; problem: Response },
): Response {
  if (!request.headers.get('accept')?.includes('text/html')) return problem
  const header = (name: string) => request.headers.get(name) ?? undefined
  return drawPage(ctx, {
    name: 'problem',
    data: { ...frameOf(ctx, { header }), code: codeOf(thrown), ...waitOf(problem) },
    status: problem.status,
    headers: [...problem.headers].filter(([name]) => name === 'retry-after' || name === 'allow'),
  })
}

function waitOf({ headers }: Response): { readonly retryAfter?: number } {
  const field = headers.get('retry-after')
  return field === null ? {} : { retryAfter: Number(field) }
}
