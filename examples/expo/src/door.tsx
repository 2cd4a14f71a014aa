import { MapaeError } from '@mapae/client'
import { useClient } from '@mapae/client/react'
import { useState } from 'react'
import { Button, Text, TextInput, View } from 'react-native'

export function Door() {
  const client = useClient()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [problem, setProblem] = useState('')

  async function enter(how: 'login' | 'register') {
    setProblem('')
    try {
      await client[how]({ email, password })
    } catch (error) {
      setProblem(inWords(error))
    }
  }

  return (
    <View>
      <TextInput
        value={email}
        onChangeText={setEmail}
        placeholder="E-mail"
        keyboardType="email-address"
        autoCapitalize="none"
        autoComplete="email"
      />
      <TextInput
        value={password}
        onChangeText={setPassword}
        placeholder="Password"
        secureTextEntry
        autoCapitalize="none"
        autoComplete="password"
      />
      <Button title="Log in" onPress={() => enter('login')} />
      <Button title="Register" onPress={() => enter('register')} />
      <Text accessibilityRole="alert">{problem}</Text>
    </View>
  )
}

function inWords(error: unknown): string {
  if (!(error instanceof MapaeError)) throw error
  if (error.code === 'invalid_credentials') return 'The e-mail address or the password is wrong.'
  if (error.code === 'too_many_tries') return `Too many tries: wait ${error.retryAfter} seconds.`
  if (error.code === 'offline' || error.code === 'server_away') return 'The server cannot be reached.'
  return error.message
}
