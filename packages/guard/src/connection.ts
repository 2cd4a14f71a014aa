export { guardEventStream, guardEvents } from './connection/events.ts'
export {
  type ConnectionOptions,
  type GuardedConnection,
  guardConnection,
  type Renewed,
} from './connection/guard.ts'
export type { InBandToken } from './connection/in-band.ts'
export type { EndReason, LifeOptions, Revocations } from './connection/life.ts'
