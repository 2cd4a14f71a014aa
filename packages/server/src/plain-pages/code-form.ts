import type { RefusalCode } from '../auth-error.ts'
import type { Language } from '../language.ts'
import { escapeHtml } from './form-page.ts'
import { problemText } from './problems.ts'

interface CodeForm {
  readonly language: Language
  readonly action: string
  readonly code: string
  readonly email: string
  readonly problem?: RefusalCode | undefined
  /** Which password the form asks for, if for any. */
  readonly password: 'new' | 'current' | 'none'
  readonly button: string
}

/** The form of a page that a mailed link opens. The address is there for password managers. */
export function codeForm(form: CodeForm): string {
  return `<form method="post" action="${form.action}">
${form.problem ? alert(form.language, form.problem) : ''}<input type="hidden" name="code" value="${escapeHtml(form.code)}">
${passwordField(form)}<button>${form.button}</button>
</form>`
}

/** Why the form was not taken. */
export function alert(language: Language, problem: RefusalCode): string {
  return `<p class="problem" role="alert">${problemText(language, problem)}</p>\n`
}

function passwordField({ language, email, password, problem }: CodeForm): string {
  if (password === 'none') return ''
  const { label, rules } = words[language][password]
  const list = rules.map((rule) => `<li>${rule}</li>`).join('')
  const attributes = [
    `autocomplete="${password}-password"`,
    'required autofocus',
    ...(password === 'new' ? ['minlength="8" aria-describedby="rules"'] : []),
    ...(problem ? ['aria-invalid="true"'] : []),
  ]
  return `<input class="for-password-managers" type="email" autocomplete="username" value="${escapeHtml(email)}" readonly tabindex="-1" aria-hidden="true">
<label for="password">${label}</label>
<input id="password" type="password" name="password" ${attributes.join(' ')}>
${list && `<ul id="rules">${list}</ul>\n`}`
}

const words = {
  ko: {
    new: {
      label: '새 비밀번호',
      rules: ['8자 이상', '띄어쓰기와 한글을 비롯해 어떤 글자든', '흔히 쓰이는 비밀번호는 안 됩니다'],
    },
    current: { label: '비밀번호', rules: [] },
  },
  en: {
    new: {
      label: 'New password',
      rules: ['at least 8 characters', 'any characters, spaces too', 'not one that many people use'],
    },
    current: { label: 'Password', rules: [] },
  },
} as const
