import { protectPages } from '@mapae/guard/next'
import { NextResponse } from 'next/server'
import { guard } from './lib/guard.js'

/** Keeps strangers from the pages. Whose access token has only expired is sent to the door as well, where the client renews it. */
export const proxy = protectPages(guard, NextResponse, {
  refused: (request) => NextResponse.redirect(new URL('/login', request.url)),
})

/** The route handlers protect themselves. */
export const config = { matcher: '/((?!orders|login|auth/|.well-known/|_next).*)' }
