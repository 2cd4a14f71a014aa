export { type DecryptJwtOptions, decryptJwt } from './jwe/decrypt.ts'
export { type EncryptJwtOptions, encryptJwt } from './jwe/encrypt.ts'
export {
  type EncryptionAlgorithm,
  type EncryptionKey,
  generateEncryptionKey,
  importEncryptionKey,
  toPublicEncryptionKey,
} from './jwe/key.ts'
