import { MapaeError } from '@mapae/client'
import { useClient } from '@mapae/client/react'
import { useState } from 'react'

export function Door() {
  const client = useClient()
  const [problem, setProblem] = useState('')

  async function submit(event) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const login = { email: String(form.get('email')), password: String(form.get('password')) }
    const how = event.nativeEvent.submitter.value
    setProblem('')
    try {
      if (how === 'register') await client.register(login)
      else await client.login(login)
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
