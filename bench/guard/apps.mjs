// What is measured: on each framework the same route, open, behind Mapae's guard, and behind what is usual there.
import { createPublicKey, verify } from 'node:crypto'
import 'reflect-metadata'
import fastifyJwt from '@fastify/jwt'
import { getRequestListener } from '@hono/node-server'
import { createGuard } from '@mapae/guard'
import { protect as protectExpress } from '@mapae/guard/express'
import { protect as protectFastify } from '@mapae/guard/fastify'
import { protect as protectHono } from '@mapae/guard/hono'
import { protect as protectKoa } from '@mapae/guard/koa'
import { Auth, MapaeModule } from '@mapae/guard/nest'
import { protect as protectNode } from '@mapae/guard/node'
import { createJwkSet } from '@mapae/jwt'
import { Controller, Get, Module, UseGuards } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import express from 'express'
import { expressjwt } from 'express-jwt'
import { auth as expressBearer } from 'express-oauth2-jwt-bearer'
import fastify from 'fastify'
import { Hono } from 'hono'
import { jwk } from 'hono/jwk'
import { createLocalJWKSet, jwtVerify } from 'jose'
import Koa from 'koa'
import koaJwt from 'koa-jwt'

const BODY = { ok: true }

/** The guard, with the key at hand: no fetch is measured. */
const guardOf = ({ issuer, jwk: key }, tokenCache) =>
  createGuard({ issuer, keys: createJwkSet({ keys: [key] }), tokenCache })
const pemOf = ({ jwk: key }) =>
  createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString()
/** The guard with its memory of tokens, and without. */
const guards = {
  mapae: (setup) => guardOf(setup, 10_000),
  'mapae, no cache': (setup) => guardOf(setup, 0),
}
const guarded = (app) =>
  Object.fromEntries(Object.entries(guards).map(([name, guard]) => [name, (setup) => app(guard(setup))]))

const nodeHandler = (_, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(BODY))
}

const expressApp = (...before) => {
  const app = express()
  app.get('/orders', ...before, (_, response) => void response.json(BODY))
  return app
}

async function fastifyApp(prepare) {
  const app = fastify()
  const onRequest = await prepare?.(app)
  app.get('/orders', onRequest ? { onRequest } : {}, async () => BODY)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server
}

const fastifyJwtApp = (setup, cache) =>
  fastifyApp(async (app) => {
    const { issuer } = setup
    const rules = { algorithms: ['ES256'], allowedIss: issuer, allowedAud: issuer, cache }
    await app.register(fastifyJwt, { secret: { public: pemOf(setup) }, verify: rules })
    return (request) => request.jwtVerify()
  })

const honoApp = (...before) => {
  const app = new Hono()
  app.get('/orders', ...before, (c) => c.json(BODY))
  return getRequestListener(app.fetch)
}

const koaApp = (...before) => {
  const app = new Koa()
  for (const one of before) app.use(one)
  app.use((ctx) => {
    ctx.body = BODY
  })
  return app.callback()
}

/** A guard of Nest that does nothing: what any guard costs there. */
class Idle {
  canActivate() {
    return true
  }
}

async function nestApp(guard, decorator = guard ? Auth() : undefined) {
  class Orders {
    list() {
      return BODY
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Orders.prototype, 'list')
  Get('orders')(Orders.prototype, 'list', descriptor)
  decorator?.(Orders.prototype, 'list', descriptor)
  Controller()(Orders)
  class App {}
  Module({ imports: guard ? [MapaeModule.forRoot(guard)] : [], controllers: [Orders] })(App)
  const app = await NestFactory.create(App, new ExpressAdapter(), { logger: false })
  await app.init()
  return app.getHttpAdapter().getInstance()
}

export const frameworks = {
  'node:http': {
    open: () => nodeHandler,
    ...guarded((guard) => protectNode(guard, nodeHandler)),
    'crypto.verify alone'({ jwk: key }) {
      const publicKey = { key: createPublicKey({ key, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }
      return (request, response) => {
        const token = request.headers.authorization
        const dot = token.lastIndexOf('.')
        const input = Buffer.from(token.slice('Bearer '.length, dot))
        if (verify('sha256', input, publicKey, Buffer.from(token.slice(dot + 1), 'base64url')))
          nodeHandler(request, response)
      }
    },
    jose({ issuer, jwk: key }) {
      const keys = createLocalJWKSet({ keys: [key] })
      return async (request, response) => {
        await jwtVerify(request.headers.authorization.slice('Bearer '.length), keys, {
          issuer,
          audience: issuer,
        })
        nodeHandler(request, response)
      }
    },
  },
  express: {
    open: () => expressApp(),
    ...guarded((guard) => expressApp(protectExpress(guard))),
    'express-jwt': (setup) => {
      const { issuer } = setup
      return expressApp(expressjwt({ secret: pemOf(setup), algorithms: ['ES256'], issuer, audience: issuer }))
    },
    'express-oauth2-jwt-bearer': ({ issuer, jwksUri }) =>
      expressApp(expressBearer({ issuer, jwksUri, audience: issuer, tokenSigningAlg: 'ES256' })),
  },
  fastify: {
    open: () => fastifyApp(),
    ...guarded((guard) => fastifyApp(async () => protectFastify(guard))),
    '@fastify/jwt, cache': (setup) => fastifyJwtApp(setup, true),
    '@fastify/jwt': (setup) => fastifyJwtApp(setup, false),
  },
  hono: {
    open: () => honoApp(),
    ...guarded((guard) => honoApp(protectHono(guard))),
    'hono/jwk': ({ issuer, jwk: key }) =>
      honoApp(
        jwk({ keys: [key], alg: ['ES256'], verification: { iss: issuer, aud: issuer, typ: 'at+jwt' } }),
      ),
  },
  koa: {
    open: () => koaApp(),
    ...guarded((guard) => koaApp(protectKoa(guard))),
    'koa-jwt': (setup) => {
      const { issuer } = setup
      return koaApp(koaJwt({ secret: pemOf(setup), algorithms: ['ES256'], issuer, audience: issuer }))
    },
  },
  nest: {
    open: () => nestApp(),
    ...guarded((guard) => nestApp(guard)),
    'a guard that does nothing': () => nestApp(undefined, UseGuards(new Idle())),
  },
}
