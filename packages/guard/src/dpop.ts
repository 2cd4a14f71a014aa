export { proofAlgorithms } from './dpop/algorithms.ts'
export { type Binding, bindingOf, type TokenScheme } from './dpop/binding.ts'
export { createNonces, type DpopNonces } from './dpop/nonces.ts'
export {
  createProofCheck,
  type ProofCheck,
  type ProofVerdict,
  type ProvenRequest,
} from './dpop/proof-check.ts'
export { rememberProofs, type SeenProofs } from './dpop/seen-proofs.ts'
export { targetUri } from './dpop/target-uri.ts'
