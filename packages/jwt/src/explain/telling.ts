import { isJsonObject } from '../json.ts'
import type { SensitiveName } from './sensitive-names.ts'

/** Deeper than this a verifier refuses the token anyway. */
export const MAX_DEPTH = 16

/**
 * Whether a value can be what its name says that it is. Nothing (null, true, false, empty), a count, and a word for a right or a state say
 * nothing, alone or together: `email: { verified: true, quota: 5 }` holds no address, and neither does `permissions: { email: 'send.own' }`.
 */
export function isTelling(
  value: unknown,
  name: SensitiveName,
  { depth, isPermission }: { readonly depth: number; readonly isPermission: boolean },
): boolean {
  if (depth > MAX_DEPTH) return true
  const inside = { depth: depth + 1, isPermission }
  if (Array.isArray(value)) return value.some((one: unknown) => isTelling(one, name, inside))
  if (isJsonObject(value))
    return Object.entries(value).some(([key, one]) => !isWord(key) || isTelling(one, name, inside))
  if (typeof value === 'string') return isTellingText(value, name, isPermission)
  if (typeof value === 'number') return isTellingNumber(value, name)
  return false
}

function isTellingText(text: string, { kind, has }: SensitiveName, isPermission: boolean): boolean {
  if (text === '' || STATES.has(text.toLowerCase())) return false
  if (has) return has.test(text)
  if (kind !== 'personal_data') return true
  return !isWallet(text) && !(isPermission && isWord(text))
}

/** A count of e-mails says nothing of a person; a PIN of three digits is one. */
function isTellingNumber(number: number, { isShort, has }: SensitiveName): boolean {
  if (has) return has.test(String(number))
  return isShort || !Number.isInteger(number) || Math.abs(number) >= 1000
}

/** The address of a wallet. */
function isWallet(text: string): boolean {
  return /^0x[\da-f]{40}$/i.test(text)
}

/** `read`, `send.own`, `crm:*`: small letters, and nothing that an address, a number or a name has. */
function isWord(text: string): boolean {
  return /^[a-z*]{1,16}(?:[.:_-][a-z*]{1,16}){0,3}$/.test(text)
}

/** Words that are nobody's address, and that nobody takes for a password. */
const STATES: ReadonlySet<string> = new Set([
  'read',
  'write',
  'rw',
  'readwrite',
  'read-only',
  'readonly',
  'view',
  'edit',
  'create',
  'update',
  'delete',
  'list',
  'manage',
  'send',
  'none',
  'allow',
  'allowed',
  'deny',
  'denied',
  'on',
  'off',
  'yes',
  'no',
  'enabled',
  'disabled',
  'required',
  'optional',
  'verified',
  'unverified',
  'pending',
  'expired',
  'accepted',
  'rejected',
  'granted',
  'revoked',
  'missing',
  'unknown',
])
