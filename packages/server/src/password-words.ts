import { domainToUnicode } from 'node:url'

/** Words that a password must not be made of, as they are compared. */
export type PasswordWords = readonly string[]

/** Shorter ones are in too many words that have nothing to do with them. */
const SHORTEST_WORD = 4

/**
 * Whether a password has fewer than `least` characters besides these words: who knows what somebody logs in with, and where, tries them first
 * (ASVS 5.0.0, 6.2.11). Neither case nor what stands between the letters hides a word, nor do digits and signs that stand for letters.
 */
export function isMadeOf(password: string, words: PasswordWords, { least }: { least: number }): boolean {
  const length = [...password].length
  return [letters, lettersMeant].some((fold) => length - lettersIn(fold(password), words.map(fold)) < least)
}

/** What everybody knows of a site: its host, with and without sub-domains, the names in it but for the last, and `others` of its own. */
export function wordsOfSite({ url, others }: { url: string; others: readonly string[] }): PasswordWords {
  const labels = domainToUnicode(new URL(url).hostname).split('.')
  const domains = labels.map((_, at) => labels.slice(at).join('.'))
  const names = labels.length > 1 ? [...labels.slice(0, -1), ...domains.slice(0, -1)] : labels
  return longEnough([...names, ...others])
}

/** What one account is known by: its e-mail address, the part before the `@`, its username, and the words of both. */
export function wordsOfAccount(identifiers: readonly { readonly display: string }[]): PasswordWords {
  return longEnough(
    identifiers.flatMap(({ display }) => {
      const [local = ''] = display.split(/@(?!.*@)/)
      return [display, local, ...local.split(/[^\p{L}\p{M}\p{N}]+/u)]
    }),
  )
}

/** Whether a word is one that passwords can be looked through for. */
export function isPasswordWord(word: string): boolean {
  return longEnough([word]).length === 1
}

function longEnough(words: readonly string[]): PasswordWords {
  return [...new Set(words)].filter((word) => [...letters(word)].length >= SHORTEST_WORD)
}

/** How many of the letters belong to one of the words; the longest goes first. */
function lettersIn(text: string, words: readonly string[]): number {
  const longestFirst = words.filter((word) => word !== '').toSorted((a, b) => b.length - a.length)
  // A gap takes the place of a word, so that what stood around it makes no other one.
  const left = longestFirst.reduce((rest, word) => rest.replaceAll(word, ' '), text)
  return [...text].length - [...left.replaceAll(' ', '')].length
}

function letters(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '')
}

/** The same, with letters for the digits and signs that people write in their place. */
function lettersMeant(text: string): string {
  return letters(text.replace(/[013457@$!|]/g, (sign) => MEANT[sign] ?? sign)).replaceAll('l', 'i')
}

/** `1`, `!` and `|` are an i or an l: one for both. */
const MEANT: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '!': 'i',
  '|': 'i',
  '3': 'e',
  '4': 'a',
  '@': 'a',
  '5': 's',
  $: 's',
  '7': 't',
}
