import { domainToASCII } from 'node:url'

/**
 * What makes two spellings one username: neither case nor compatibility forms (ﬁ, ｆ, ſ, ς) tell two apart. It folds what
 * UsernameCaseMapped (RFC 8265 §3.3) would have refused or kept apart, because a name that only looks like another serves
 * impostors alone. The key of a key is the key.
 */
export function usernameKey(username: string): string {
  const key = username.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
  return key === username ? key : usernameKey(key)
}

/**
 * What makes two spellings one e-mail address: the local part by lower case and NFC alone, since mail systems keep apart
 * what folds further, and the owner of one mailbox must not stand for that of another; the host as DNS has it, so that
 * Unicode and punycode are one (UTS 46).
 */
export function emailKey(address: string): string {
  const at = address.lastIndexOf('@')
  return formerKey(address.slice(0, at + 1)) + hostKey(address.slice(at + 1))
}

/** The key that accounts had until usernames were folded further and hosts were compared as DNS has them. */
export function formerKey(text: string): string {
  return text.normalize('NFC').toLowerCase().normalize('NFC')
}

/**
 * A host that is none stays as it is: `domainToASCII` reads some as URLs do, percent signs included. Capitals are folded before,
 * because it refuses some of those that it does not know.
 */
function hostKey(written: string): string {
  const host = formerKey(written)
  const ascii = /^[\p{L}\p{M}\p{N}._-]+$/u.test(host) ? domainToASCII(host) : ''
  return ascii === '' ? host : ascii
}
