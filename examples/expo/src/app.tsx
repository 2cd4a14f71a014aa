import { Authenticated, MapaeProvider } from '@mapae/client/react'
import { Suspense } from 'react'
import { Text, View } from 'react-native'
import { client } from './client'
import { Door } from './door'
import { Home } from './home'

export function App() {
  return (
    <MapaeProvider client={client}>
      <View style={{ flex: 1, justifyContent: 'center', padding: 24 }}>
        <Suspense fallback={<Text>…</Text>}>
          <Authenticated fallback={<Door />}>
            <Home />
          </Authenticated>
        </Suspense>
      </View>
    </MapaeProvider>
  )
}
