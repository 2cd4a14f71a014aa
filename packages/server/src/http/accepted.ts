/** 202 (RFC 9110 §15.3.3), and nothing else: what comes of it is told by mail. */
export function accepted(): Response {
  return new Response(null, { status: 202, headers: { 'cache-control': 'no-store' } })
}
