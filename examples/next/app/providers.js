'use client'
import { createClient } from '@mapae/client'
import { MapaeProvider } from '@mapae/client/react'

/** One for each browser. Where pages are rendered on the server nobody is logged in with it: `checkPage` knows who is. */
const client = createClient({ url: process.env.NEXT_PUBLIC_MAPAE_URL ?? 'http://localhost:3007' })

export function Providers({ children }) {
  return <MapaeProvider client={client}>{children}</MapaeProvider>
}
