/** What the example uses of `expo-secure-store` 57, for where that is not installed. */
export interface SecureStoreOptions {
  keychainService?: string
  requireAuthentication?: boolean
  authenticationPrompt?: string
  keychainAccessible?: number
  accessGroup?: string
}
export declare const AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: number
export declare function getItemAsync(key: string, options?: SecureStoreOptions): Promise<string | null>
export declare function setItemAsync(key: string, value: string, options?: SecureStoreOptions): Promise<void>
export declare function deleteItemAsync(key: string, options?: SecureStoreOptions): Promise<void>
