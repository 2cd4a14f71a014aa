import type { PageData } from '../pages.ts'
import { alert } from './code-form.ts'
import { formPage } from './form-page.ts'

export function forgotPasswordPage(data: PageData['forgot-password']): Response {
  const { language } = data
  const say = words[language]
  switch (data.state) {
    case 'form': {
      const problem = data.problem ? alert(language, data.problem) : ''
      const body = `<form method="post" action="/forgot-password">
${problem}<label for="email">${say.label}</label>
<input id="email" type="email" name="email" autocomplete="username" required autofocus>
<button>${say.button}</button>
</form>`
      return formPage({ ...data, title: say.title, lead: say.lead, body })
    }
    case 'sent':
      return formPage({ ...data, title: say.sent, lead: say.sentLead })
  }
}

const words = {
  ko: {
    title: '비밀번호를 잊으셨나요?',
    lead: '계정의 이메일 주소를 적으면, 비밀번호를 다시 정하는 링크를 보내 드립니다.',
    label: '이메일 주소',
    button: '메일 받기',
    sent: '메일함을 확인해 주세요',
    sentLead:
      '그 주소의 계정이 있다면 곧 메일이 도착합니다. 오지 않으면 스팸함을 보거나, 주소를 확인하고 다시 해 주세요.',
  },
  en: {
    title: 'Forgot your password?',
    lead: 'Enter the e-mail address of your account, and we will send you a link to choose a new one.',
    label: 'E-mail address',
    button: 'Send the mail',
    sent: 'Look into your mailbox',
    sentLead:
      'If that address has an account, a mail is on its way. If it does not come, look among the spam, or check the address and try again.',
  },
} as const
