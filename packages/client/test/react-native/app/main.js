// The app: it tells the story of `runtimes/story.mjs`, set up as examples/expo is.
import './environment'
import { secureStore } from '@mapae/client/stores/secure-store'
import { getRandomValues } from 'expo-crypto'
import * as SecureStore from 'expo-secure-store'
import { tell } from '../../runtimes/story.mjs'

if (globalThis.crypto === undefined) Object.assign(globalThis, { crypto: { getRandomValues } })

const { url, say, end } = globalThis.native
const store = secureStore(SecureStore)
tell({ url, name: 'somebody', open: () => store }, say).then(
  () => end(null),
  (error) => end(`${error.stack}`),
)
