import { createClient } from '@mapae/client'
import { secureStore } from '@mapae/client/stores/secure-store'
import { getRandomValues } from 'expo-crypto'
import * as SecureStore from 'expo-secure-store'

// React Native has no Web Crypto. The attempt ids of the client are made with this.
if (globalThis.crypto === undefined) Object.assign(globalThis, { crypto: { getRandomValues } })

export const client = createClient({
  url: 'http://localhost:4000',
  apis: ['http://localhost:3000'],
  store: secureStore(SecureStore),
})
