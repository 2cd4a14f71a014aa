import type { PageData } from '../pages.ts'
import { formPage } from './form-page.ts'
import { problemText, waitText } from './problems.ts'

export function problemPage(data: PageData['problem']): Response {
  const title = data.language === 'ko' ? '문제가 생겼습니다' : 'Something went wrong'
  const lead = [problemText(data.language, data.code)]
  if (data.code === 'too_many_tries') lead.push(waitText(data.language, data.retryAfter ?? 1))
  return formPage({ ...data, title, lead: lead.join(' ') })
}
