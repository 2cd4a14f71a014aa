import { createHash } from 'node:crypto'
import type { PageData, Pages } from './pages.ts'

/** The pages that Mapae draws when no `pages` option is given. */
export const plainPages: Pages = (_name, data) => {
  const html = startPage(data)
  return new Response(html, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src '${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'content-language': data.language,
      vary: 'Accept-Language',
    },
  })
}

const words = {
  ko: {
    title: '마패가 돌아가고 있습니다',
    lead: '사람들이 로그인하면 두 토큰을 내주고, 때가 되면 갱신하고, 훔친 토큰을 알아챕니다.',
    try: '터미널에서 해 보기',
    register: '가입하고 두 토큰 받기',
    look: '둘러보기',
    links: {
      '/openapi.json': '모든 주소 (OpenAPI)',
      '/.well-known/jwks.json': '공개 키 (JWK Set)',
      '/readyz': '일할 준비가 됐나요?',
      '/healthz': '살아 있나요?',
    },
    steps: ['로그인', '두 토큰 발급', '토큰으로 요청', '만료 → 401', '두 토큰으로 갱신'],
  },
  en: {
    title: 'Mapae is running',
    lead: 'It logs people in, hands out two tokens, renews them in time, and notices a stolen one.',
    try: 'Try it in a terminal',
    register: 'Register and get both tokens',
    look: 'Look around',
    links: {
      '/openapi.json': 'Every address (OpenAPI)',
      '/.well-known/jwks.json': 'Public keys (JWK Set)',
      '/readyz': 'Is it ready?',
      '/healthz': 'Is it alive?',
    },
    steps: ['log in', 'two tokens', 'call with one', 'expired → 401', 'renew with both'],
  },
} as const

function startPage({ url, language }: PageData['start']): string {
  const say = words[language]
  const links = Object.entries(say.links).map(
    ([path, name]) => `<a href="${path}"><span>${name}</span><code>${path}</code></a>`,
  )
  const steps = say.steps.map((step, index) => `<li><b>${index + 1}</b>${step}</li>`)
  const curl = `curl -X POST ${url}/auth/register \\
  -H 'content-type: application/json' \\
  -d '{"email":"me@example.com","password":"correct horse battery"}'`
  return `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${say.title}</title>
<style>${STYLE}</style>
<main>
<header>
<svg viewBox="0 0 64 64" role="img" aria-label="Mapae"><circle cx="32" cy="35" r="24"/><circle cx="32" cy="35" r="19.5" class="rim"/><path d="M26 8h12v5H26z"/><path class="horse" d="M20 45c1-7 4-11 8-13l-1-5 4 2c6 0 10 3 12 8l2 8h-4l-2-5-8 1-3 4h-4l2-5-2 2-1 3z"/></svg>
<div><h1>${say.title}</h1><p>${say.lead}</p></div>
</header>
<ol>${steps.join('')}</ol>
<h2>${say.try}</h2>
<p>${say.register}</p>
<pre><code>${escapeHtml(curl)}</code></pre>
<h2>${say.look}</h2>
<nav>${links.join('')}</nav>
</main>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

const STYLE = `
:root{color-scheme:light dark;--ground:light-dark(#faf7f2,#16130f);--ink:light-dark(#1f1a14,#f1ebe1);--soft:light-dark(#6a6055,#a99f90);--card:light-dark(#fff,#211d17);--line:light-dark(#e6ddd0,#37302700);--bronze:light-dark(#8a5a1c,#d9a354)}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.6 system-ui,"Apple SD Gothic Neo","Noto Sans KR",sans-serif;word-break:keep-all;overflow-wrap:anywhere}
main{max-width:44rem;margin:0 auto;padding:clamp(1.5rem,6vw,4rem) 1.25rem}
header{display:flex;gap:1.25rem;align-items:center}
header p{margin:.25rem 0 0;color:var(--soft)}
h1{font-size:clamp(1.4rem,5vw,2rem);line-height:1.2;margin:0}
h2{font-size:1rem;margin:2.25rem 0 .25rem}
h2+p{margin:.25rem 0 .75rem;color:var(--soft)}
svg{width:4.5rem;flex:none;fill:var(--bronze)}
svg .rim{fill:none;stroke:var(--ground);stroke-width:1.2}
svg .horse{fill:var(--ground)}
ol{list-style:none;display:flex;flex-wrap:wrap;gap:.4rem;margin:2rem 0 0;padding:0}
li{display:flex;gap:.5rem;align-items:center;background:var(--card);border:1px solid var(--line);border-radius:99px;padding:.25rem .75rem .25rem .3rem;font-size:.82rem;white-space:nowrap}
li b{display:grid;place-items:center;width:1.35rem;height:1.35rem;border-radius:50%;background:var(--bronze);color:var(--ground);font-size:.75rem}
pre{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1rem;white-space:pre-wrap;margin:0;font-size:.85rem}
pre,code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
nav{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.75rem;margin-top:.75rem}
nav a{display:flex;flex-direction:column;background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:.8rem 1rem;color:inherit;text-decoration:none}
nav a:hover,nav a:focus-visible{border-color:var(--bronze)}
nav code{color:var(--bronze);font-size:.85rem}
:focus-visible{outline:2px solid var(--bronze);outline-offset:2px}
`
const STYLE_HASH = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`
