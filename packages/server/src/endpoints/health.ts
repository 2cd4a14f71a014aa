import type { App } from '../app.ts'

/** GET /healthz: the process answers. It asks nothing of the database. */
export async function healthzEndpoint(): Promise<Response> {
  return Response.json({ status: 'ok' }, { headers: { 'cache-control': 'no-store' } })
}

/** GET /readyz: the database answers, its clock agrees with ours, and there are keys to sign with; else 503. */
export async function readyzEndpoint({ ctx }: App): Promise<Response> {
  await ctx.clockCheck.refuseWhenSkewed()
  await ctx.signingKeys.list()
  return Response.json({ status: 'ready' }, { headers: { 'cache-control': 'no-store' } })
}
