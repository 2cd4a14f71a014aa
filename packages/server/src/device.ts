/**
 * The device of a `User-Agent` field in words, such as `Chrome on Windows`, `Firefox` or `iPhone`; null for what names none that
 * is known here.
 * It is what the sender says of itself: good enough to recognise one's own devices by, and proof of nothing. Browsers that
 * pass for others (Brave for Chrome, an iPad for a Mac) are told as what they pass for.
 */
export function deviceOf(userAgent: string | null): string | null {
  if (userAgent === null) return null
  const named = [BROWSERS, SYSTEMS].flatMap(
    (names) => names.find(([, mark]) => mark.test(userAgent))?.[0] ?? [],
  )
  return named.join(' on ') || null
}

/** The first that fits: nearly all of them also say that they are Chrome or Safari, and so come before those. */
const BROWSERS: readonly (readonly [string, RegExp])[] = [
  ['Edge', /\bEdg(?:e|A|iOS)?\//],
  ['Opera', /\b(?:OPR|OPT|OPiOS|Opera)\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Whale', /\bWhale\//],
  ['KakaoTalk', /\bKAKAOTALK\b/],
  ['Naver', /\bNAVER\(/],
  ['Vivaldi', /\bVivaldi\//],
  ['Yandex', /\bYaBrowser\//],
  ['Firefox', /\b(?:Firefox|FxiOS)\//],
  ['Chrome', /\b(?:Chrome|CriOS|Chromium)\//],
  ['Safari', /\bVersion\/[\d.]+.* Safari\//],
]

/** An iPhone also says that it is like a Mac, Android that it is a Linux. */
const SYSTEMS: readonly (readonly [string, RegExp])[] = [
  ['iPhone', /\biPhone\b/],
  ['iPad', /\biPad\b/],
  ['Android', /\bAndroid\b/],
  ['Windows', /\bWindows\b/],
  ['Mac', /\bMacintosh\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Linux', /\bLinux\b/],
]
