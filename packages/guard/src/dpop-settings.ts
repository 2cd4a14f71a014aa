import { createProofCheck, type ProofCheck } from './dpop/proof-check.ts'
import { rememberProofs } from './dpop/seen-proofs.ts'
import { GuardError } from './guard-error.ts'
import { isLoopback } from './loopback.ts'
import type { GuardOptions } from './options.ts'
import { originOf } from './origin-of.ts'
import type { GuardRequest } from './request.ts'

/** How a guard checks DPoP proofs. */
export type DpopSettings = {
  readonly isRequired: boolean
  readonly check: ProofCheck
  /** The origin that the proof of a request must be made for. */
  readonly originFor: (request: GuardRequest) => string
}

/** Nothing, where bound tokens are refused. Throws GuardError `options_invalid`. */
export function settleDpop(options: GuardOptions): DpopSettings | undefined {
  const { clock, dpopNonces: nonces, credentials } = options
  const knowsOrigin = options.url !== undefined || options.dangerouslyTrustHostHeader === true
  const dpop = options.dpop ?? (knowsOrigin ? 'accept' : 'refuse')
  if (!answers.has(dpop)) throw invalid("dpop must be 'accept', 'require' or 'refuse'.")
  if (dpop === 'refuse') return undefined
  if (!knowsOrigin) throw invalid('dpop needs url: a proof is made for the public URL of the API.')
  if (dpop === 'require' && credentials === 'cookie')
    throw invalid("dpop cannot be 'require' where tokens come in cookies only.")
  const seen = options.seenProofs ?? rememberProofs({ clock })
  if (typeof seen?.seenBefore !== 'function') throw invalid('seenProofs must have seenBefore.')
  if (nonces !== undefined && typeof nonces?.acceptedUntil !== 'function')
    throw invalid('dpopNonces must come from createNonces, or be like it.')
  return {
    isRequired: dpop === 'require',
    check: createProofCheck({ seen, nonces, clock }),
    originFor: prepareOrigin(options),
  }
}

const answers: ReadonlySet<unknown> = new Set(['accept', 'require', 'refuse'])

function prepareOrigin({ url, dangerouslyTrustHostHeader }: GuardOptions): DpopSettings['originFor'] {
  if (dangerouslyTrustHostHeader === true) return originOfHost
  const origin = originOf('url', url ?? '')
  return () => origin
}

/** Whether TLS ended before this API cannot be seen from here, so that https is taken for granted. */
function originOfHost(request: GuardRequest): string {
  const host = request.header('host') ?? ''
  const url = URL.canParse(`https://${host}`) ? new URL(`https://${host}`) : undefined
  if (!url) return ''
  return isLoopback(url.hostname) ? `http://${url.host}` : url.origin
}

function invalid(description: string): GuardError {
  return new GuardError('options_invalid', description)
}
