/** JSON for one person: no cache may keep it. */
export function privateJson(body: unknown): Response {
  return Response.json(body, { headers: { 'cache-control': 'no-store' } })
}
