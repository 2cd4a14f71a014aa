import { protectPages } from '@mapae/guard/next'
import { NextResponse } from 'next/server'
import { guard } from './lib/guard.js'

/** Keeps strangers from the pages, and renews on the way where the guard was given `renew`. */
export const proxy = protectPages(guard, NextResponse)

/** The route handlers protect themselves. */
export const config = { matcher: '/((?!orders|_next).*)' }
