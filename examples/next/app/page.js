import { checkPage } from '@mapae/guard/next'
import { headers } from 'next/headers'
import { guard } from '../lib/guard.js'
import { Orders } from './orders.js'

/** Looks at the token itself, and not at what the proxy said of it. */
export default async function Page() {
  const admission = await checkPage(guard, await headers())
  if (admission.type === 'refused') return <p>{admission.body.title}</p>
  return (
    <main>
      <h1>{`Hello, ${admission.claims.sub}`}</h1>
      <Orders />
    </main>
  )
}
