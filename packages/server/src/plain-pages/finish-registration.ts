import type { PageData } from '../pages.ts'
import { newPasswordPage } from './new-password.ts'

export function finishRegistrationPage(data: PageData['finish-registration']): Response {
  return newPasswordPage(data, { action: '/finish-registration', say: words[data.language] })
}

const words = {
  ko: {
    title: '가입 마무리',
    lead: (email: string) => `<b>${email}</b> 주소로 로그인할 비밀번호를 정해 주세요.`,
    button: '가입하기',
    done: '가입했습니다',
    doneLead: '이 브라우저에서 로그인되었습니다. 이 창은 닫아도 됩니다.',
    expired: '쓸 수 없는 링크입니다',
    expiredLead:
      '시간이 지났거나, 이미 썼거나, 더 새로운 메일이 있습니다. 가입을 다시 신청하면 새 메일이 옵니다.',
  },
  en: {
    title: 'Finish your registration',
    lead: (email: string) => `Choose the password to log in with as <b>${email}</b>.`,
    button: 'Register',
    done: 'Welcome',
    doneLead: 'Your account is made, and this browser is logged in. This page can be closed.',
    expired: 'This link does not work any more',
    expiredLead:
      'It has expired, was used already, or there is a newer mail. Register again to get a new one.',
  },
} as const
