import type { PageData } from '../pages.ts'
import { codeForm } from './code-form.ts'
import { escapeHtml, formPage } from './form-page.ts'

export function verifyEmailPage(data: PageData['verify-email']): Response {
  const { language } = data
  const say = words[language]
  switch (data.state) {
    case 'form': {
      const password = data.needsPassword ? 'current' : 'none'
      const form = { ...data, action: '/verify-email', password, button: say.button } as const
      const email = escapeHtml(data.email)
      const lead = [
        data.isChange ? say.changeLead(email) : say.lead(email),
        data.needsPassword ? say.withPassword : say.withButton,
      ]
      return formPage({ ...data, title: say.title, lead: lead.join(' '), body: codeForm(form) })
    }
    case 'done':
      return formPage({ ...data, title: say.done, lead: say.doneLead })
    case 'expired':
      return formPage({ ...data, title: say.expired, lead: say.expiredLead })
  }
}

const words = {
  ko: {
    title: '이메일 주소 확인',
    lead: (email: string) => `<b>${email}</b> 주소로 만든 계정이 본인 것이면 확인해 주세요.`,
    changeLead: (email: string) => `계정의 이메일을 <b>${email}</b> 주소로 바꿉니다.`,
    withPassword: '계정의 비밀번호를 입력하면 끝납니다.',
    withButton: '아래 버튼을 누르면 끝납니다.',
    button: '확인하기',
    done: '이메일 주소를 확인했습니다',
    doneLead: '이 창은 닫아도 됩니다.',
    expired: '쓸 수 없는 링크입니다',
    expiredLead:
      '시간이 지났거나, 이미 썼거나, 더 새로운 메일이 있습니다. 로그인한 뒤 메일을 다시 받을 수 있습니다.',
  },
  en: {
    title: 'Confirm your e-mail address',
    lead: (email: string) => `If the account with <b>${email}</b> is yours, confirm it.`,
    changeLead: (email: string) => `<b>${email}</b> becomes the e-mail address of your account.`,
    withPassword: 'Enter the password of the account to finish.',
    withButton: 'Press the button to finish.',
    button: 'Confirm',
    done: 'Your e-mail address is confirmed',
    doneLead: 'This page can be closed.',
    expired: 'This link does not work any more',
    expiredLead: 'It has expired, was used already, or there is a newer mail. Log in to ask for another.',
  },
} as const
