/** How an access token was presented. A cookie counts as Bearer: nothing is proved with it. */
export type TokenScheme = 'Bearer' | 'DPoP'

export type Binding =
  | { readonly type: 'unbound' }
  /** Needs a proof by the key with this thumbprint. */
  | { readonly type: 'bound'; readonly jkt: string }
  | { readonly type: 'mismatch'; readonly description: string }

/**
 * Compares how a token was presented with what it says of itself (the claim `cnf`, RFC 7800). A bound token is never taken as
 * a bearer token (RFC 9449 §7.2), nor an unbound one with DPoP, nor one that is bound in another way than to a DPoP key.
 */
export function bindingOf(scheme: TokenScheme, cnf: unknown): Binding {
  if (cnf === undefined)
    return scheme === 'Bearer' ? { type: 'unbound' } : mismatch('The access token is not bound to a key.')
  const jkt = jktOf(cnf)
  if (jkt === undefined) return mismatch('The access token is bound in a way that cannot be checked here.')
  return scheme === 'DPoP'
    ? { type: 'bound', jkt }
    : mismatch('The access token is bound to a key and came without its proof.')
}

/** The thumbprint in a `cnf` claim, when it is that and nothing else: a further binding would go unchecked. */
function jktOf(cnf: unknown): string | undefined {
  if (typeof cnf !== 'object' || cnf === null || Object.keys(cnf).length !== 1 || !('jkt' in cnf))
    return undefined
  return typeof cnf.jkt === 'string' && cnf.jkt !== '' ? cnf.jkt : undefined
}

function mismatch(description: string): Binding {
  return { type: 'mismatch', description }
}
