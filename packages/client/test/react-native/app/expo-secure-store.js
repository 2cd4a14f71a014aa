export const { getItemAsync, setItemAsync, deleteItemAsync } =
  globalThis.__turboModuleProxy('ExpoSecureStore')
export const AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY = 1
