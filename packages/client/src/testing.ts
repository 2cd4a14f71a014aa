export { type CookieJar, cookieJar } from './testing/cookie-jar.ts'
export { type Faults, type FaultyNetwork, faultyNetwork } from './testing/faulty-network.ts'
export { type SharedStorage, sharedStorage } from './testing/shared-storage.ts'
export { type DeviceClock, type VirtualTime, virtualTime } from './testing/virtual-time.ts'
