import { createHash } from 'node:crypto'
import type { Language } from '../language.ts'
import { EMBLEM } from './emblem.ts'
import { PALETTE } from './palette.ts'

/** Text for a page. It is put in as it is: {@link escapeHtml} what did not come from us. */
export interface FormPage {
  readonly language: Language
  /** The host, for the foot of the page. */
  readonly url: string
  readonly title: string
  readonly lead: string
  /** A form, or a link to go on with. */
  readonly body?: string
}

/** A page with one thing to do. It loads nothing, runs nothing, and posts to its own server alone. */
export function formPage({ language, url, title, lead, body = '' }: FormPage): Response {
  const html = `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
<main>
${EMBLEM}
<h1>${title}</h1>
<p>${lead}</p>
${body}
</main>
<footer>${escapeHtml(new URL(url).host)}</footer>
</html>
`
  return new Response(html, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; style-src '${STYLE_HASH}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
      'content-language': language,
      vary: 'Accept-Language',
    },
  })
}

/** Text for the inside of an element or of a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

const STYLE = `
${PALETTE}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100dvh;display:grid;grid-template-rows:1fr auto;background:var(--ground);color:var(--ink);font:16px/1.6 system-ui,"Apple SD Gothic Neo","Noto Sans KR",sans-serif;word-break:keep-all;overflow-wrap:anywhere}
main{align-self:center;justify-self:center;width:min(26rem,100% - 2.5rem);margin:2.5rem 0 1.5rem}
svg{display:block;width:3.25rem;margin:0 0 1rem -.35rem;fill:var(--bronze)}
svg .rim{fill:none;stroke:var(--ground);stroke-width:1.2}
svg .horse{fill:var(--ground)}
h1{font-size:1.5rem;line-height:1.3;margin:0}
p{margin:.5rem 0 0;color:var(--soft)}
p b{color:var(--ink);font-weight:600}
form{display:grid;gap:.5rem;margin-top:1.5rem}
label{font-weight:600;font-size:.9rem}
input{font:inherit;width:100%;padding:.65rem .8rem;color:var(--ink);background:var(--card);border:1px solid color-mix(in srgb,var(--soft) 55%,transparent);border-radius:.6rem}
ul{list-style:none;margin:0;padding:0;color:var(--soft);font-size:.85rem}
li{padding-left:1.1em;text-indent:-1.1em}
li::before{content:"·";display:inline-block;width:1.1em;text-indent:0;text-align:center}
button,.button{display:block;font:inherit;font-weight:600;text-align:center;text-decoration:none;width:100%;margin-top:.75rem;padding:.7rem 1rem;border:0;border-radius:.6rem;background:var(--bronze);color:var(--ground);cursor:pointer}
.button{margin-top:1.5rem}
button:hover,.button:hover{filter:brightness(1.08)}
.problem{margin:0 0 .25rem;padding:.65rem .8rem;border-radius:.6rem;color:var(--ink);background:color-mix(in srgb,var(--red) 12%,transparent);border:1px solid color-mix(in srgb,var(--red) 45%,transparent);font-size:.95rem}
.for-password-managers{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);padding:0;border:0}
footer{padding:1rem;text-align:center;color:var(--soft);font-size:.85rem}
:focus-visible{outline:2px solid var(--bronze);outline-offset:2px}
`
const STYLE_HASH = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`
