import { MapaeError } from '../mapae-error.ts'
import type { Store } from '../store.ts'

/** The part of `expo-secure-store` that is used: pass the module itself. */
export interface SecureStoreModule {
  getItemAsync(key: string, options?: SecureStoreSettings): Promise<string | null>
  setItemAsync(key: string, value: string, options?: SecureStoreSettings): Promise<void>
  deleteItemAsync(key: string, options?: SecureStoreSettings): Promise<void>
  /** Readable after the first unlock, by this device alone: no backup and no other phone gets it. */
  readonly AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: number
}

interface SecureStoreSettings {
  readonly keychainAccessible?: number
  readonly keychainService?: string
}

/** Where the session lies in the phone's keychain. */
export interface SecureStoreOptions {
  /** @default 'mapae' */
  readonly name?: string | undefined
}

/**
 * Keeps the session in the keychain (iOS) or under a key of the Keystore (Android) by `expo-secure-store`, on this device only.
 * No value is longer than 2000 bytes, since older phones refuse 2048: the text is cut into pieces, and one head that
 * names them makes an update whole, so that a crash leaves the old text or the new one. Throws `options_invalid` where the app has not set up
 * `crypto.getRandomValues`, which the client would come to need with the first renewal.
 */
export function secureStore(module: SecureStoreModule, { name = 'mapae' }: SecureStoreOptions = {}): Store {
  if (!globalThis.crypto?.getRandomValues) throw new MapaeError('options_invalid', NO_RANDOM)
  const settings: SecureStoreSettings = {
    keychainAccessible: module.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY,
    keychainService: name,
  }
  const head = `${name}.head`
  const piece = (slot: string, index: number): string => `${name}.${slot}.${index}`

  const readHead = async (): Promise<Head> => parseHead(await module.getItemAsync(head, settings))
  const readPieces = async ({ slot, count }: Head): Promise<string | undefined> => {
    const pieces = await Promise.all(
      Array.from({ length: count }, (_, index) => module.getItemAsync(piece(slot, index), settings)),
    )
    return count === 0 || pieces.includes(null) ? undefined : decodeURIComponent(pieces.join(''))
  }
  const removePieces = async ({ slot, count }: Head): Promise<void> => {
    for (let index = 0; index < count; index++) await module.deleteItemAsync(piece(slot, index), settings)
  }
  const write = async (text: string | undefined, before: Head): Promise<void> => {
    const pieces = text === undefined ? [] : cut(encodeURIComponent(text))
    const slot = before.slot === 'a' ? 'b' : 'a'
    for (const [index, value] of pieces.entries())
      await module.setItemAsync(piece(slot, index), value, settings)
    await module.setItemAsync(head, `${slot}${pieces.length}`, settings)
    await removePieces(before)
  }

  // One process has the keychain of an app: standing in line makes an update one step.
  let line: Promise<unknown> = Promise.resolve()
  const inLine = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = line.then(work)
    line = mine.catch(() => undefined)
    return mine
  }
  return {
    read: () => inLine(async () => readPieces(await readHead())),
    update: (change) =>
      inLine(async () => {
        const at = await readHead()
        const before = await readPieces(at)
        const now = change(before)
        if (now !== before) await write(now, at)
        return now
      }),
  }
}

const NO_RANDOM =
  'There is no crypto.getRandomValues: it comes from expo-crypto or react-native-get-random-values.'

interface Head {
  readonly slot: string
  readonly count: number
}

function parseHead(text: string | null): Head {
  const [, slot = 'b', count = '0'] = /^([ab])(\d{1,3})$/.exec(text ?? '') ?? []
  return { slot, count: Number(count) }
}

const PIECE = 2000

function cut(text: string): string[] {
  return text.match(new RegExp(`.{1,${PIECE}}`, 'g')) ?? []
}
