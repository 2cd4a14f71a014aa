import { useClient, useSession } from '@mapae/client/react'

export function Home() {
  const client = useClient()
  const session = useSession()
  return (
    <main>
      <h1>Hello, {session?.user.email}</h1>
      <button type="button" onClick={() => client.logout()}>
        Log out
      </button>
    </main>
  )
}
