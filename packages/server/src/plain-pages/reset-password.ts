import type { PageData } from '../pages.ts'
import { newPasswordPage } from './new-password.ts'

export function resetPasswordPage(data: PageData['reset-password']): Response {
  const say = words[data.language]
  const whenExpired = `<a class="button" href="/forgot-password">${say.again}</a>`
  return newPasswordPage(data, { action: '/reset-password', say, whenExpired })
}

const words = {
  ko: {
    title: '새 비밀번호 정하기',
    lead: (email: string) => `<b>${email}</b> 계정의 비밀번호를 다시 정합니다. 모든 기기에서 로그아웃됩니다.`,
    button: '비밀번호 정하기',
    done: '비밀번호를 다시 정했습니다',
    doneLead: '모든 기기에서 로그아웃되었습니다. 이제 새 비밀번호로 로그인하세요. 이 창은 닫아도 됩니다.',
    expired: '쓸 수 없는 링크입니다',
    expiredLead: '시간이 지났거나, 이미 썼거나, 더 새로운 메일이 있습니다.',
    again: '메일 다시 받기',
  },
  en: {
    title: 'Choose a new password',
    lead: (email: string) => `For <b>${email}</b>. You will be logged out on every device.`,
    button: 'Set the password',
    done: 'Your password is set',
    doneLead: 'You were logged out on every device. Log in with the new password; this page can be closed.',
    expired: 'This link does not work any more',
    expiredLead: 'It has expired, was used already, or there is a newer mail.',
    again: 'Send me a new mail',
  },
} as const
