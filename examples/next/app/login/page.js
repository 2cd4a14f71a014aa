'use client'
import { MapaeError } from '@mapae/client'
import { useClient } from '@mapae/client/react'
import { useEffect, useState } from 'react'

export default function Door() {
  const client = useClient()
  const [problem, setProblem] = useState('')

  // The proxy sent somebody here whose access token has expired: asking the auth server renews it.
  useEffect(() => {
    client.session({ fresh: true }).then(
      (session) => session && location.replace('/'),
      () => {}, // whose session has ended logs in
    )
  }, [client])

  async function submit(event) {
    event.preventDefault()
    const { email, password } = Object.fromEntries(new FormData(event.currentTarget))
    const how = event.nativeEvent.submitter.value
    setProblem('')
    try {
      if (how === 'register') await client.register({ email, password })
      else await client.login({ email, password })
      location.replace('/')
    } catch (error) {
      if (!(error instanceof MapaeError)) throw error
      setProblem(words[error.code] ?? error.message)
    }
  }

  return (
    <form onSubmit={submit}>
      <h1>Log in</h1>
      <input name="email" type="email" placeholder="E-mail" autoComplete="username" required />
      <input
        name="password"
        type="password"
        placeholder="Password"
        autoComplete="current-password"
        required
      />
      <button type="submit" value="login">
        Log in
      </button>
      <button type="submit" value="register">
        Register
      </button>
      <p role="alert">{problem}</p>
    </form>
  )
}

const words = {
  invalid_credentials: 'The e-mail address or the password is wrong.',
  offline: 'You are offline.',
}
