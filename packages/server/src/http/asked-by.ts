import type { Origin } from '../context.ts'
import { type Language, preferredLanguage } from '../language.ts'
import type { Arrival } from './visit.ts'

/** Where a request came from, and the language that its mails are written in. */
export function askedBy({ header, from }: Arrival): { readonly from: Origin; readonly language: Language } {
  return { from, language: preferredLanguage(header('accept-language')) }
}
