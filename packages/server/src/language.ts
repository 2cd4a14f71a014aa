/** The languages of pages and mails. */
export type Language = 'ko' | 'en'

/** The one that an `Accept-Language` field (RFC 9110 §12.5.4) puts first; English for what names neither. */
export function preferredLanguage(accepted: string | undefined): Language {
  const first = accepted?.split(',').find((range) => /^\s*(ko|en)\b/i.test(range))
  return first && /^\s*ko\b/i.test(first) ? 'ko' : 'en'
}
