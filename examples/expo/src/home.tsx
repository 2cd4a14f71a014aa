import { useClient, useSession } from '@mapae/client/react'
import { useState } from 'react'
import { Button, Text, View } from 'react-native'

export function Home() {
  const client = useClient()
  const session = useSession()
  const [orders, setOrders] = useState('')

  async function load() {
    try {
      const response = await client.fetch('http://localhost:3000/orders')
      setOrders(await response.text())
    } catch (error) {
      setOrders(String(error))
    }
  }

  return (
    <View>
      <Text accessibilityRole="header">Hello, {session?.user.email}</Text>
      <Button title="My orders" onPress={load} />
      <Text>{orders}</Text>
      <Button title="Log out" onPress={() => client.logout()} />
    </View>
  )
}
