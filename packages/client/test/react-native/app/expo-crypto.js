export const { getRandomValues } = globalThis.__turboModuleProxy('ExpoCrypto')
