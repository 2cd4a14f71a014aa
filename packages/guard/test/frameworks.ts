import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import 'reflect-metadata'
import { serve } from '@hono/node-server'
import { type AccessClaims, type Claims, type Guard, GuardError } from '@mapae/guard'
import * as guardExpress from '@mapae/guard/express'
import * as guardFastify from '@mapae/guard/fastify'
import * as guardFetch from '@mapae/guard/fetch'
import * as guardHono from '@mapae/guard/hono'
import * as guardKoa from '@mapae/guard/koa'
import * as guardNest from '@mapae/guard/nest'
import * as guardNode from '@mapae/guard/node'
import { Controller, Get, HttpCode, Module, Post, Req, Res as ResponseOf } from '@nestjs/common'
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import express, { type Response as ExpressResponse } from 'express'
import fastify, { type FastifyReply } from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'

// The same API on each framework. What its handlers do is what an adapter could get wrong.

export type Api = { port: number; close(): Promise<unknown> }

/** The guard of the API reads a claim of its own. */
export type Plan = { readonly plan: string }
export type ShopGuard = Guard<Plan>

export function readPlan(claims: AccessClaims): Plan {
  const plan = claims['https://shop.example/plan'] ?? 'free'
  if (typeof plan !== 'string') throw new TypeError('a plan is text')
  return { plan }
}

export const BOTH = ['orders:read', 'orders:write']
export const STEP_UP = { maxAge: 300, acr: ['mfa', 'phr'] }

/** Another middleware's `auth`, which the tests send along as JSON: nothing that a guard has put there. */
export function authOfOthers(field: string | string[] | undefined): { auth?: unknown } {
  return typeof field === 'string' ? { auth: JSON.parse(field) } : {}
}

/** How each framework raises what a handler throws is its own; `null` is a framework where nothing can be unprotected. */
export const frameworks: Record<string, (guard: ShopGuard) => Promise<Api>> = {
  async express(guard) {
    const { protect, requireScope, requireRole, requireStepUp, resourceMetadata, claimsOf } = guardExpress
    const app = express()
    const ok = (_: unknown, response: ExpressResponse) => void response.json({})
    app.use(resourceMetadata(guard))
    app.use((request, _, next) => {
      Object.assign(request, authOfOthers(request.headers['x-others']))
      next()
    })
    app.get('/orders', protect(guard), (request, response) => {
      const { sid, plan } = claimsOf(request, guard)
      response.json({ sub: request.auth?.sub, sid, plan })
    })
    app.post('/orders', protect(guard), requireScope('orders:write'), (_, response) => {
      response.status(201).json({})
    })
    app.get('/needs', protect(guard, { scope: BOTH }), ok)
    app.get('/twice', protect(guard), protect(guard, { scope: BOTH }), ok)
    app.get('/admin', protect(guard), requireRole(['admin', 'owner']), ok)
    app.get('/recent', protect(guard), requireStepUp(guard, STEP_UP), ok)
    app.get('/public', protect(guard, { optional: true }), (request, response) => {
      response.json({ sub: request.auth?.sub ?? null })
    })
    app.get('/cached', protect(guard), (_, response) => {
      response.set('Cache-Control', 'public, max-age=60').cookie('theme', 'dark').json({})
    })
    app.get('/raw', protect(guard), (_, response) => {
      response.writeHead(200, { 'Cache-Control': 'public', 'Set-Cookie': ['theme=dark'] }).end('raw')
    })
    app.get('/raw-list', protect(guard), (_, response) => {
      const cookies = ['Set-Cookie', 'theme=dark', 'Set-Cookie', 'size=large']
      response.writeHead(202, 'Fine', ['Cache-Control', 'public', ...cookies]).end('raw')
    })
    app.get('/throws', protect(guard), () => {
      throw new Error('of the handler')
    })
    app.get('/unprotected', requireScope('orders:read'), ok)
    app.use('/mounted', express.Router().get('/orders', protect(guard), ok))
    app.set('env', 'test')
    return listening(app.listen(0, 'localhost'))
  },

  async fastify(guard) {
    const { protect, requireScope, requireRole, requireStepUp, resourceMetadata, claimsOf } = guardFastify
    const app = fastify()
    app.addHook('onRequest', resourceMetadata(guard))
    app.addHook('onRequest', async (request) => {
      Object.assign(request, authOfOthers(request.headers['x-others']))
    })
    app.get('/orders', { onRequest: protect(guard) }, async (request) => {
      const { sid, plan } = claimsOf(request, guard)
      return { sub: request.auth?.sub, sid, plan }
    })
    const onWrite = [protect(guard), requireScope('orders:write')]
    app.post('/orders', { preHandler: onWrite }, async (_, reply) => reply.code(201).send({}))
    app.get('/needs', { onRequest: protect(guard, { scope: BOTH }) }, async () => ({}))
    app.get('/twice', { onRequest: [protect(guard), protect(guard, { scope: BOTH })] }, async () => ({}))
    app.get('/admin', { onRequest: [protect(guard), requireRole(['admin', 'owner'])] }, async () => ({}))
    app.get('/recent', { onRequest: [protect(guard), requireStepUp(guard, STEP_UP)] }, async () => ({}))
    app.get('/public', { onRequest: protect(guard, { optional: true }) }, async (request) => {
      return { sub: request.auth?.sub ?? null }
    })
    app.get('/cached', { onRequest: protect(guard) }, async (_, reply) => {
      return reply.header('cache-control', 'public, max-age=60').header('set-cookie', 'theme=dark').send({})
    })
    app.get('/raw', { onRequest: protect(guard) }, (_, reply) => {
      reply.hijack()
      reply.raw.writeHead(200, { 'Cache-Control': 'public', 'Set-Cookie': ['theme=dark'] }).end('raw')
    })
    app.get('/throws', { onRequest: protect(guard) }, async () => {
      throw new Error('of the handler')
    })
    app.get('/unprotected', { onRequest: requireScope('orders:read') }, async () => ({}))
    app.register(
      async (scope) => {
        scope.addHook('onRequest', protect(guard))
        scope.get('/orders', async () => ({}))
      },
      { prefix: '/mounted' },
    )
    await app.listen({ port: 0, host: 'localhost' })
    return { port: portOf(app.server), close: () => app.close() }
  },

  async hono(guard) {
    const { protect, requireScope, requireRole, requireStepUp, resourceMetadata, claimsOf } = guardHono
    const app = new Hono()
    app.use(resourceMetadata(guard))
    app.use(async (c, next) => {
      const { auth } = authOfOthers(c.req.header('x-others'))
      if (auth !== undefined) c.set('auth' as never, auth as never)
      await next()
    })
    app.get('/orders', protect(guard), (c) => {
      return c.json({ sub: c.var.auth.sub, sid: claimsOf(c, guard).sid, plan: c.get('auth').plan })
    })
    app.post('/orders', protect(guard), requireScope('orders:write'), (c) => c.json({}, 201))
    app.get('/needs', protect(guard, { scope: BOTH }), (c) => c.json({}))
    app.get('/twice', protect(guard), protect(guard, { scope: BOTH }), (c) => c.json({}))
    app.get('/admin', protect(guard), requireRole(['admin', 'owner']), (c) => c.json({}))
    app.get('/recent', protect(guard), requireStepUp(guard, STEP_UP), (c) => c.json({}))
    app.get('/public', protect(guard, { optional: true }), (c) => c.json({ sub: c.var.auth?.sub ?? null }))
    app.get('/cached', protect(guard), (c) => {
      c.header('Cache-Control', 'public, max-age=60')
      c.header('Set-Cookie', 'theme=dark', { append: true })
      return c.json({})
    })
    app.get('/raw', protect(guard), () => {
      return new Response('raw', { headers: { 'Cache-Control': 'public', 'Set-Cookie': 'theme=dark' } })
    })
    app.get('/throws', protect(guard), () => {
      throw new Error('of the handler')
    })
    app.get('/unprotected', requireScope('orders:read'), (c) => c.json({}))
    app.onError((_, c) => c.text('Internal Server Error', 500))
    const mounted = new Hono<guardHono.GuardEnv>()
      .use(protect(guard))
      .get('/orders', (c) => c.json({ sub: c.var.auth.sub }))
    app.route('/mounted', mounted)
    return listening(serve({ fetch: app.fetch, port: 0, hostname: 'localhost' }) as Server)
  },

  async koa(guard) {
    const { protect, requireScope, requireRole, requireStepUp, resourceMetadata, claimsOf } = guardKoa
    const app = new Koa()
    app.silent = true
    app.use(resourceMetadata(guard))
    app.use((ctx, next) => {
      Object.assign(ctx.state, authOfOthers(ctx.headers['x-others']))
      return next()
    })
    const route = (line: string, ...middleware: Koa.Middleware[]) => {
      for (const one of middleware)
        app.use((ctx, next) => (`${ctx.method} ${ctx.path}` === line ? one(ctx, next) : next()))
    }
    const ok: Koa.Middleware = (ctx) => {
      ctx.body = {}
    }
    route('GET /orders', protect(guard), (ctx) => {
      const { sid, plan } = claimsOf(ctx, guard)
      ctx.body = { sub: ctx.state['auth'].sub, sid, plan }
    })
    route('POST /orders', protect(guard), requireScope('orders:write'), (ctx) => {
      ctx.status = 201
      ctx.body = {}
    })
    route('GET /needs', protect(guard, { scope: BOTH }), ok)
    route('GET /twice', protect(guard), protect(guard, { scope: BOTH }), ok)
    route('GET /admin', protect(guard), requireRole(['admin', 'owner']), ok)
    route('GET /recent', protect(guard), requireStepUp(guard, STEP_UP), ok)
    route('GET /public', protect(guard, { optional: true }), (ctx) => {
      ctx.body = { sub: ctx.state['auth']?.sub ?? null }
    })
    route('GET /cached', protect(guard), (ctx) => {
      ctx.set('Cache-Control', 'public, max-age=60')
      ctx.cookies.set('theme', 'dark')
      ctx.body = {}
    })
    route('GET /raw', protect(guard), (ctx) => {
      ctx.respond = false
      ctx.res.writeHead(200, { 'Cache-Control': 'public', 'Set-Cookie': ['theme=dark'] }).end('raw')
    })
    route('GET /throws', protect(guard), () => {
      throw new Error('of the handler')
    })
    route('GET /unprotected', requireScope('orders:read'), ok)
    route('GET /mounted/orders', protect(guard), ok)
    return listening(app.listen(0, 'localhost'))
  },

  'nest on express'(guard) {
    const adapter = new ExpressAdapter()
    adapter.use((request: IncomingMessage, _: unknown, next: () => void) => {
      Object.assign(request, authOfOthers(request.headers['x-others']))
      next()
    })
    return nest(guard, adapter, {
      cached(response: ExpressResponse) {
        response.set('Cache-Control', 'public, max-age=60').cookie('theme', 'dark')
      },
      raw: (response: ExpressResponse) => response,
    })
  },

  'nest on fastify'(guard) {
    const adapter = new FastifyAdapter()
    adapter.getInstance().addHook('onRequest', async (request) => {
      Object.assign(request, authOfOthers(request.headers['x-others']))
    })
    return nest(guard, adapter, {
      cached(reply: FastifyReply) {
        reply.header('cache-control', 'public, max-age=60').header('set-cookie', 'theme=dark')
      },
      raw(reply: FastifyReply) {
        reply.hijack()
        return reply.raw
      },
    })
  },

  async node(guard) {
    const { protect, requireScope, requireRole, requireStepUp, resourceMetadata, claimsOf } = guardNode
    const ok: guardNode.NodeHandler = (_, response) => void response.end('{}')
    const behind =
      (requirement: guardNode.Requirement, handler: guardNode.NodeHandler): guardNode.NodeHandler =>
      (request, response) =>
        requirement(request, response) ? handler(request, response) : undefined
    const routes: Record<string, guardNode.NodeHandler> = {
      'GET /orders': protect(guard, (request, response) => {
        const { sid, plan } = claimsOf(request, guard)
        response.end(JSON.stringify({ sub: request.auth?.sub, sid, plan }))
      }),
      'POST /orders': protect(
        guard,
        behind(requireScope('orders:write'), (_, response) => void response.writeHead(201).end()),
      ),
      'GET /needs': protect(guard, ok, { scope: BOTH }),
      'GET /twice': protect(guard, protect(guard, ok, { scope: BOTH })),
      'GET /admin': protect(guard, behind(requireRole(['admin', 'owner']), ok)),
      'GET /recent': protect(guard, behind(requireStepUp(guard, STEP_UP), ok)),
      'GET /public': protect(
        guard,
        (request, response) => void response.end(JSON.stringify({ sub: request.auth?.sub ?? null })),
        { optional: true },
      ),
      'GET /cached': protect(guard, (_, response) => {
        response.setHeader('cache-control', 'public, max-age=60').setHeader('set-cookie', 'theme=dark')
        response.end('{}')
      }),
      'GET /raw': protect(guard, (_, response) => {
        response.writeHead(200, { 'Cache-Control': 'public', 'Set-Cookie': ['theme=dark'] }).end('raw')
      }),
      'GET /throws': protect(guard, () => {
        throw new Error('of the handler')
      }),
      'GET /unprotected': behind(requireScope('orders:read'), ok),
      'GET /mounted/orders': protect(guard, ok),
    }
    const serveMetadata = resourceMetadata(guard)
    const server = createServer(async (request, response) => {
      if (serveMetadata(request, response)) return
      Object.assign(request, authOfOthers(request.headers['x-others']))
      const handler = routes[`${request.method} ${request.url?.split('?')[0]}`]
      if (!handler) return void response.writeHead(404).end()
      try {
        await handler(request, response)
      } catch {
        response.writeHead(500).end()
      }
    })
    return listening(server.listen(0, 'localhost'))
  },

  async fetch(guard) {
    const { protect, requireScope, requireRole, requireStepUp, resourceMetadata } = guardFetch
    const ok = () => Response.json({})
    const mayWrite = requireScope('orders:write')
    const isAdmin = requireRole(['admin', 'owner'])
    const isRecent = requireStepUp(guard, STEP_UP)
    const routes: Record<string, (request: Request) => Promise<Response>> = {
      'GET /orders': protect(guard, (_, { sub, sid, plan }) => Response.json({ sub, sid, plan })),
      'POST /orders': protect(guard, (_, auth) => mayWrite(auth) ?? Response.json({}, { status: 201 })),
      'GET /needs': protect(guard, ok, { scope: BOTH }),
      'GET /twice': protect(guard, (_, auth) => requireScope(BOTH)(auth) ?? ok()),
      'GET /admin': protect(guard, (_, auth) => isAdmin(auth) ?? ok()),
      'GET /recent': protect(guard, (_, auth) => isRecent(auth) ?? ok()),
      'GET /public': protect(guard, (_, auth) => Response.json({ sub: auth?.sub ?? null }), {
        optional: true,
      }),
      'GET /cached': protect(guard, () => {
        const headers = { 'Cache-Control': 'public, max-age=60', 'Set-Cookie': 'theme=dark' }
        return Response.json({}, { headers })
      }),
      'GET /raw': protect(guard, () => {
        return new Response('raw', { headers: { 'Cache-Control': 'public', 'Set-Cookie': 'theme=dark' } })
      }),
      'GET /throws': protect(guard, () => {
        throw new Error('of the handler')
      }),
      async 'GET /unprotected'() {
        throw new GuardError('not_protected', 'Here no claims can be had without `protect`.')
      },
      'GET /mounted/orders': protect(guard, ok),
    }
    const metadata = resourceMetadata(guard)
    const handle = async (request: Request) => {
      const route = routes[`${request.method} ${new URL(request.url).pathname}`]
      const answer =
        metadata(request) ?? (await route?.(request)?.catch(() => new Response(null, { status: 500 })))
      return answer ?? new Response(null, { status: 404 })
    }
    return listening(serve({ fetch: handle, port: 0, hostname: 'localhost' }) as Server)
  },
}

/** What a handler of Nest does with the response of its platform. */
type Platform<Res> = { cached(response: Res): void; raw(response: Res): ServerResponse }

async function nest<Res>(
  guard: ShopGuard,
  adapter: AbstractHttpAdapter,
  platform: Platform<Res>,
): Promise<Api> {
  const { Auth, Claims, MapaeModule, RequireRole, RequireScope, resourceMetadata } = guardNest
  class Shop {
    orders(claims: Claims<Plan>) {
      return { sub: claims.sub, sid: claims.sid, plan: claims.plan }
    }
    order() {
      return {}
    }
    needs() {
      return {}
    }
    twice() {
      return {}
    }
    admin() {
      return {}
    }
    recent() {
      return {}
    }
    public(claims: AccessClaims | undefined) {
      return { sub: claims?.sub ?? null }
    }
    cached(response: Res) {
      platform.cached(response)
      return {}
    }
    raw(response: Res) {
      platform
        .raw(response)
        .writeHead(200, { 'Cache-Control': 'public', 'Set-Cookie': ['theme=dark'] })
        .end('raw')
    }
    throws() {
      throw new Error('of the handler')
    }
    unprotected(request: guardNest.ProtectedRequest) {
      return guardNest.claimsOf(request)
    }
    mounted() {
      return {}
    }
  }
  // What `@Get('orders') @Auth() orders(@Claims() claims)` is without the syntax, which this file's compiler does not take.
  const method = (name: keyof Shop, ...decorators: (MethodDecorator | [ParameterDecorator])[]) => {
    const descriptor = Object.getOwnPropertyDescriptor(Shop.prototype, name) ?? {}
    for (const one of decorators)
      if (Array.isArray(one)) one[0](Shop.prototype, name, 0)
      else one(Shop.prototype, name, descriptor)
  }
  method('orders', Get('orders'), Auth(), [Claims()])
  method('order', Post('orders'), HttpCode(201), RequireScope('orders:write'))
  method('needs', Get('needs'), Auth({ scope: BOTH }))
  method('twice', Get('twice'), Auth({ scope: BOTH }), Auth())
  method('admin', Get('admin'), RequireRole(['admin', 'owner']))
  method('recent', Get('recent'), Auth(STEP_UP))
  method('public', Get('public'), Auth({ optional: true }), [Claims()])
  method('cached', Get('cached'), Auth(), [ResponseOf({ passthrough: true })])
  method('raw', Get('raw'), Auth(), [ResponseOf()])
  method('throws', Get('throws'), Auth())
  method('unprotected', Get('unprotected'), [Req()])
  method('mounted', Get('mounted/orders'), Auth())
  Controller()(Shop)
  class App {}
  Module({ imports: [MapaeModule.forRoot(guard)], controllers: [Shop] })(App)
  const app = await NestFactory.create(App, adapter, { logger: false })
  app.use(resourceMetadata(guard))
  await app.listen(0, 'localhost')
  return { port: portOf(app.getHttpServer()), close: () => app.close() }
}

async function listening(server: Server): Promise<Api> {
  if (!server.listening) await new Promise((done) => server.once('listening', done))
  return { port: portOf(server), close: () => new Promise((closed) => server.close(closed)) }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
