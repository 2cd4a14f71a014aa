export type { Algorithm } from './algorithms.ts'
export { JwtError, type JwtErrorCode } from './errors.ts'
export { createDiscoveredJwkSet } from './jwks/discovered.ts'
export { type CreateJwkSetOptions, createJwkSet, type JwkSet } from './jwks/local.ts'
export { createRemoteJwkSet, type RemoteJwkSetOptions } from './jwks/remote.ts'
export type { KeyQuery, KeySet, KeySource, RemoteJwkSet } from './jwks/set.ts'
export type { JwtHeader } from './jws/header.ts'
export { type SignJwsOptions, signJws } from './jws/sign.ts'
export { type JwsOptions, type RemoteJwsOptions, verifyJws } from './jws/verify.ts'
export type { JwtClaims } from './jwt/claims.ts'
export { decodeUnverified, type UnverifiedJwt } from './jwt/decode.ts'
export type { AudiencePolicy, ClaimsPolicy, IssuerPolicy, TimePolicy, TypePolicy } from './jwt/policy.ts'
export { createSigner, type SignerOptions, signJwt } from './jwt/sign.ts'
export {
  type AtOnceOptions,
  type CacheOptions,
  createVerifier,
  type RemoteVerifierOptions,
  type VerifiedJwt,
  type VerifierOptions,
  verifyJwt,
} from './jwt/verify.ts'
export { type ExportJwkOptions, exportJwk, toPublicKey } from './keys/export.ts'
export { generateKey } from './keys/generate.ts'
export { type ImportKeyOptions, importKey } from './keys/import.ts'
export type { Jwk } from './keys/jwk.ts'
export type { Key } from './keys/key.ts'
export { jwkThumbprint } from './keys/thumbprint.ts'
