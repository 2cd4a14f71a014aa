import type { RefusalCode } from '../auth-error.ts'
import type { Language } from '../language.ts'

/** What a person reads when a form was not taken, or a page could not be shown. */
export function problemText(language: Language, code: RefusalCode): string {
  return texts[language][code] ?? others[language]
}

/** When to come back, after so many seconds. */
export function waitText(language: Language, seconds: number): string {
  const minutes = Math.ceil(seconds / 60)
  if (language === 'ko')
    return minutes > 1 ? `${minutes}분 뒤에 다시 해 주세요.` : `${seconds}초 뒤에 다시 해 주세요.`
  if (minutes > 1) return `Try again in ${minutes} minutes.`
  return `Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`
}

type Texts = Readonly<Partial<Record<RefusalCode, string>>>

const ko: Texts = {
  password_too_short: '비밀번호가 너무 짧습니다. 8자 이상으로 정해 주세요.',
  password_too_long: '비밀번호가 너무 깁니다. 1024자까지 쓸 수 있습니다.',
  password_too_common: '많은 사람이 쓰는 비밀번호라서 쉽게 뚫립니다. 다른 것으로 정해 주세요.',
  password_too_obvious:
    '이메일 주소나 아이디, 이 사이트의 이름을 빼면 8자가 되지 않는 비밀번호입니다. 다른 것으로 정해 주세요.',
  wrong_password: '비밀번호가 맞지 않습니다.',
  reauthentication_required: '이 계정이 본인 것인지 확인할 수 있게 비밀번호를 입력해 주세요.',
  identifier_taken: '이 이메일 주소의 계정이 이미 있습니다. 그 계정으로 로그인해 주세요.',
  invalid_identifier: '이메일 주소를 다시 확인해 주세요.',
  account_disabled: '이 계정은 사용이 중지되었습니다. 운영자에게 문의해 주세요.',
  mail_not_configured: '이 서버는 메일을 보내지 않습니다. 운영자에게 문의해 주세요.',
  too_many_tries: '너무 여러 번 시도해서 잠시 멈췄습니다.',
  busy: '지금은 요청이 많습니다. 잠시 뒤에 다시 해 주세요.',
  store_unavailable: '지금은 처리할 수 없습니다. 잠시 뒤에 다시 해 주세요.',
  origin_not_allowed: '이 화면에서 보낸 요청이 아니라서 받지 않았습니다. 메일의 링크를 다시 열어 주세요.',
}

const en: Texts = {
  password_too_short: 'That password is too short: it needs at least 8 characters.',
  password_too_long: 'That password is too long: it may have 1024 characters.',
  password_too_common: 'Many people use that password, so it is easy to guess. Choose another.',
  password_too_obvious:
    'Besides your e-mail address or username, and the name of this site, that password has fewer than 8 characters. Choose another.',
  wrong_password: 'That password is not right.',
  reauthentication_required: 'Enter the password of the account, to show that it is yours.',
  identifier_taken: 'This e-mail address has an account already. Log in to that one.',
  invalid_identifier: 'That is not an e-mail address.',
  account_disabled: 'This account is disabled. Ask the people who run this server.',
  mail_not_configured: 'This server sends no mail. Ask the people who run it.',
  too_many_tries: 'That was tried too often, so it has to wait.',
  busy: 'There is a lot going on at the moment. Try again shortly.',
  store_unavailable: 'That does not work at the moment. Try again shortly.',
  origin_not_allowed: 'That was not sent from this page, so it was refused. Open the link of the mail again.',
}

const texts = { ko, en } as const

const others = {
  ko: '요청을 처리하지 못했습니다. 메일의 링크를 다시 열어 주세요.',
  en: 'That did not work. Open the link of the mail again.',
} as const
