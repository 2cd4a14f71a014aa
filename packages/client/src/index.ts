export type {
  Change,
  Client,
  CredentialInHand,
  Finding,
  Login,
  LoginResult,
  RegisterResult,
  Registration,
  Session,
  SessionOverview,
} from './client.ts'
export type { Clock } from './clock.ts'
export { createClient } from './create-client.ts'
export { type ClientCode, isPassing, MapaeError, type MapaeErrorDetails } from './mapae-error.ts'
export type { ClientOptions } from './options.ts'
export type { KeyStore, Store } from './store.ts'
export { memoryStore } from './stores/memory.ts'
export type { User } from './user.ts'
