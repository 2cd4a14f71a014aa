// The app: it has that of examples/expo in it, and tells the story of `runtimes/story.mjs` by a client that is set up in the same way.
import './environment'
import { secureStore } from '@mapae/client/stores/secure-store'
import * as SecureStore from 'expo-secure-store'
import { App } from '../../../../../examples/expo/src/app'
import { client } from '../../../../../examples/expo/src/client'
import { tell } from '../../runtimes/story.mjs'

client.close() // is loaded by this, as by the first screen, and sets up random numbers
if (typeof App !== 'function') throw new Error('there is no app')

const { url, say, end } = globalThis.native
const store = secureStore(SecureStore)
tell({ url, name: 'somebody', open: () => store }, say).then(
  () => end(null),
  (error) => end(`${error.stack}`),
)
