import { lifetimeOf, type Purpose } from './code-purpose.ts'
import type { Language } from './language.ts'

export type LetterType =
  | 'verify-email'
  | 'change-email'
  | 'reset-password'
  | 'finish-registration'
  | 'already-registered'
  | 'password-changed'
  | 'password-reset'
  | 'email-change-asked'
  | 'email-changed'
  | 'address-taken'

/** What a letter tells. */
export interface LetterData {
  readonly type: LetterType
  readonly language: Language
  /** Where the server is, by its configuration. */
  readonly url: string
  readonly to: string
  /** Where its reader goes on; the code of the letter is in it. Null for a letter that only tells. */
  readonly link: string | null
  /** How many minutes the link works; null where it works always. */
  readonly minutes: number | null
  /** Milliseconds: when it happened. */
  readonly at: number
}

/** Writes the mails. */
export type Letters = (letter: LetterData) => { readonly subject: string; readonly text: string }

/** Where the link of each letter leads, and what its code is good for. */
const facts: Readonly<Record<LetterType, { readonly path: string | null; readonly purpose?: Purpose }>> = {
  'verify-email': { path: '/verify-email', purpose: 'verify-email' },
  'change-email': { path: '/verify-email', purpose: 'change-email' },
  'reset-password': { path: '/reset-password', purpose: 'reset-password' },
  'finish-registration': { path: '/finish-registration', purpose: 'register' },
  'already-registered': { path: '/forgot-password' },
  'password-changed': { path: '/forgot-password' },
  'password-reset': { path: '/forgot-password' },
  'email-change-asked': { path: '/forgot-password' },
  'email-changed': { path: null },
  'address-taken': { path: null },
}

/** The facts of a letter. Its link is made of the configured url alone, never of what a request says. */
export function letterData(
  settings: { readonly url: string; readonly codeLifetime: number },
  {
    letter,
    code,
    ...rest
  }: { letter: LetterType; to: string; language: Language; code?: string; at: number },
): LetterData {
  const { url } = settings
  const { path, purpose } = facts[letter]
  const minutes = purpose === undefined ? null : Math.floor(lifetimeOf(purpose, settings) / 60)
  const query = code === undefined ? '' : `?code=${encodeURIComponent(code)}`
  return { ...rest, type: letter, url, minutes, link: path === null ? null : `${url}${path}${query}` }
}

/** The letters that Mapae writes when no `letters` option is given: plain text, in Korean or English. */
export const plainLetters: Letters = (letter) => {
  const say = words[letter.language]
  const site = new URL(letter.url).host
  const { subject, text } = say.letters[letter.type]({
    site,
    within: inWords[letter.language](letter.minutes ?? 0),
    at: momentOf(letter.at),
  })
  const paragraphs = [say.greeting, ...text.map((one) => (one === LINK ? letter.link : one)), `— ${site}`]
  return { subject, text: `${paragraphs.join('\n\n')}\n` }
}

/** Stands for the link, in a paragraph of its own. */
const LINK = '<link>'

interface Facts {
  readonly site: string
  /** How long the link works, in words. */
  readonly within: string
  readonly at: string
}

type Words = Readonly<
  Record<LetterType, (facts: Facts) => { readonly subject: string; readonly text: readonly string[] }>
>

const ko: Words = {
  'verify-email': ({ site, within }) => ({
    subject: `${site} 이메일 주소 확인`,
    text: [
      `이 이메일 주소로 ${site}에 계정이 만들어졌습니다. 직접 만드셨다면 아래 주소를 열어 확인해 주세요.`,
      LINK,
      `이 링크는 ${within} 안에 한 번만 쓸 수 있습니다.`,
      '직접 만드신 계정이 아니라면 아무것도 하지 마세요. 이 주소는 확인되지 않은 채로 남습니다.',
    ],
  }),
  'change-email': ({ site, within }) => ({
    subject: `${site} 새 이메일 주소 확인`,
    text: [
      `${site} 계정의 이메일을 이 주소로 바꾸려고 합니다. 직접 요청하셨다면 아래 주소를 열어 마무리해 주세요.`,
      LINK,
      `이 링크는 ${within} 안에 한 번만 쓸 수 있습니다. 열기 전까지는 아무것도 바뀌지 않습니다.`,
      '직접 요청하신 것이 아니라면 이 메일은 무시하셔도 됩니다.',
    ],
  }),
  'reset-password': ({ site, within }) => ({
    subject: `${site} 비밀번호 재설정`,
    text: [
      `${site} 비밀번호를 다시 정하려면 아래 주소를 여세요.`,
      LINK,
      `이 링크는 ${within} 안에 한 번만 쓸 수 있습니다. 새 비밀번호를 정하면 모든 기기에서 로그아웃됩니다.`,
      '직접 요청하신 것이 아니라면 이 메일은 무시하셔도 됩니다. 비밀번호는 그대로입니다.',
    ],
  }),
  'finish-registration': ({ site, within }) => ({
    subject: `${site} 가입 마무리`,
    text: [
      `${site}에 가입하려면 아래 주소를 열어 비밀번호를 정해 주세요.`,
      LINK,
      `이 링크는 ${within} 안에 한 번만 쓸 수 있습니다.`,
      '가입을 신청하지 않으셨다면 이 메일은 무시하셔도 됩니다. 계정은 만들어지지 않습니다.',
    ],
  }),
  'already-registered': ({ site }) => ({
    subject: `${site}에 이미 계정이 있습니다`,
    text: [
      `이 이메일 주소로 ${site}에 가입 신청이 있었지만, 이 주소의 계정이 이미 있습니다. 그 계정으로 로그인해 주세요.`,
      '비밀번호를 잊으셨다면 여기에서 다시 정할 수 있습니다.',
      LINK,
      '직접 신청하신 것이 아니라면 이 메일은 무시하셔도 됩니다. 바뀐 것은 없습니다.',
    ],
  }),
  'password-changed': ({ site, at }) => ({
    subject: `${site} 비밀번호가 바뀌었습니다`,
    text: [
      `${at}에 ${site} 계정의 비밀번호가 바뀌었고, 바꾼 기기를 뺀 모든 기기에서 로그아웃되었습니다.`,
      '직접 바꾸지 않으셨다면 지금 바로 비밀번호를 다시 정해 주세요.',
      LINK,
    ],
  }),
  'password-reset': ({ site, at }) => ({
    subject: `${site} 비밀번호가 재설정되었습니다`,
    text: [
      `${at}에 이메일로 받은 링크로 ${site} 계정의 비밀번호가 다시 정해졌고, 모든 기기에서 로그아웃되었습니다.`,
      '직접 하신 일이 아니라면 누군가 이 메일함을 볼 수 있습니다. 메일함의 비밀번호부터 바꾸고, 여기에서 다시 정해 주세요.',
      LINK,
    ],
  }),
  'email-change-asked': ({ site, at }) => ({
    subject: `${site} 이메일 변경 요청`,
    text: [
      `${at}에 ${site} 계정의 이메일을 다른 주소로 바꾸는 요청이 있었습니다. 새 주소에서 확인하기 전까지는 바뀌지 않습니다.`,
      '직접 요청하지 않으셨다면 누군가 비밀번호를 알고 있습니다. 여기에서 비밀번호를 다시 정하면 요청도 취소됩니다.',
      LINK,
    ],
  }),
  'email-changed': ({ site, at }) => ({
    subject: `${site} 이메일이 바뀌었습니다`,
    text: [
      `${at}에 ${site} 계정의 이메일이 이 주소에서 다른 주소로 바뀌었습니다. 이 주소로는 더 이상 로그인할 수 없습니다.`,
      `직접 바꾸지 않으셨다면 ${site} 운영자에게 바로 알려 주세요.`,
    ],
  }),
  'address-taken': ({ site }) => ({
    subject: `${site}: 이 주소의 계정이 이미 있습니다`,
    text: [
      `${site}의 다른 계정에서 이메일을 이 주소로 바꾸려 했지만, 이 주소의 계정이 이미 있어 바꾸지 않았습니다.`,
      '두 계정이 모두 본인 것이라면 이 주소의 계정으로 로그인해 주세요. 아니라면 이 메일은 무시하셔도 됩니다.',
    ],
  }),
}

const en: Words = {
  'verify-email': ({ site, within }) => ({
    subject: `Confirm your e-mail address for ${site}`,
    text: [
      `An account at ${site} was made with this e-mail address. If you made it, open this page to confirm the address:`,
      LINK,
      `The link works once, within ${within}.`,
      'If you did not make it, do nothing: the address stays unconfirmed.',
    ],
  }),
  'change-email': ({ site, within }) => ({
    subject: `Confirm your new e-mail address for ${site}`,
    text: [
      `This is to become the e-mail address of an account at ${site}. If you asked for that, open this page to finish:`,
      LINK,
      `The link works once, within ${within}. Nothing changes before.`,
      'If you did not ask for it, ignore this mail.',
    ],
  }),
  'reset-password': ({ site, within }) => ({
    subject: `Reset your password for ${site}`,
    text: [
      `Open this page to choose a new password for ${site}:`,
      LINK,
      `The link works once, within ${within}. A new password logs you out everywhere.`,
      'If you did not ask for it, ignore this mail: your password stays as it is.',
    ],
  }),
  'finish-registration': ({ site, within }) => ({
    subject: `Finish your registration at ${site}`,
    text: [
      `Open this page to choose a password and make your account at ${site}:`,
      LINK,
      `The link works once, within ${within}.`,
      'If you did not want to register, ignore this mail: no account is made.',
    ],
  }),
  'already-registered': ({ site }) => ({
    subject: `You already have an account at ${site}`,
    text: [
      `Somebody wanted to register at ${site} with this e-mail address, which has an account already. Log in with that one.`,
      'If you forgot its password, choose a new one here:',
      LINK,
      'If it was not you, ignore this mail: nothing has changed.',
    ],
  }),
  'password-changed': ({ site, at }) => ({
    subject: `Your password for ${site} was changed`,
    text: [
      `The password of your account at ${site} was changed on ${at}, and every device but the one that changed it was logged out.`,
      'If it was not you, choose a new password now:',
      LINK,
    ],
  }),
  'password-reset': ({ site, at }) => ({
    subject: `Your password for ${site} was reset`,
    text: [
      `The password of your account at ${site} was set anew on ${at}, by a link from a mail to this address, and every device was logged out.`,
      'If it was not you, somebody else can read this mailbox: change its password first, then choose a new one here:',
      LINK,
    ],
  }),
  'email-change-asked': ({ site, at }) => ({
    subject: `A new e-mail address for ${site} was asked for`,
    text: [
      `Somebody who is logged in to your account at ${site} asked on ${at} to change its e-mail address. It changes when the new address is confirmed, not before.`,
      'If it was not you, somebody knows your password. Choose a new one here; that calls the change off:',
      LINK,
    ],
  }),
  'email-changed': ({ site, at }) => ({
    subject: `Your e-mail address for ${site} was changed`,
    text: [
      `The e-mail address of your account at ${site} was changed on ${at}, from this one to another. This one no longer logs you in.`,
      `If it was not you, tell the people who run ${site} at once.`,
    ],
  }),
  'address-taken': ({ site }) => ({
    subject: `${site}: this address has an account already`,
    text: [
      `Another account at ${site} wanted to take this e-mail address. It has an account already, so nothing was changed.`,
      'If both are yours, log in to the one of this address. If not, ignore this mail.',
    ],
  }),
}

const words = {
  ko: { greeting: '안녕하세요.', letters: ko },
  en: { greeting: 'Hello,', letters: en },
} as const

const inWords: Readonly<Record<Language, (minutes: number) => string>> = {
  ko: (minutes) => (minutes % 60 === 0 ? `${minutes / 60}시간` : `${minutes}분`),
  en: (minutes) => {
    if (minutes === 60) return 'an hour'
    return minutes % 60 === 0 ? `${minutes / 60} hours` : `${minutes} minutes`
  },
}

/** `2026-09-21 14:13 UTC`: the same for every reader. */
function momentOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
