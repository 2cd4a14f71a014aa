import type { Context } from './context.ts'

/** As many keys as are remembered; then it begins anew, so that nothing grows for ever. */
const MOST = 1000

/** Emits an event the first time that its key comes up. */
export function createEmitOnce(emit: Context['emit']): Context['emitOnce'] {
  const told = new Set<string>()
  return (key, event) => {
    if (told.has(key)) return
    if (told.size === MOST) told.clear()
    told.add(key)
    emit(event)
  }
}
