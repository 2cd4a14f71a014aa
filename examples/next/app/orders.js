'use client'
import { useClient } from '@mapae/client/react'
import { useState } from 'react'

/** Asks the route handler from the browser, by the client: nobody sees a 401 there, however long the page stays open. */
export function Orders() {
  const client = useClient()
  const [orders, setOrders] = useState('')

  async function load() {
    const response = await client.fetch('/orders')
    setOrders(JSON.stringify(await response.json()))
  }

  async function leave() {
    await client.logout()
    location.assign('/login')
  }

  return (
    <section>
      <button type="button" onClick={load}>
        My orders
      </button>
      <button type="button" onClick={leave}>
        Log out
      </button>
      <output>{orders}</output>
    </section>
  )
}
