/** What the example uses of `expo-crypto` 57, for where that is not installed. */
export declare function getRandomValues<T extends Uint8Array | Uint32Array>(values: T): T
