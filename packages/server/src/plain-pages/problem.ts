import type { PageData } from '../pages.ts'
import { formPage } from './form-page.ts'
import { problemText } from './problems.ts'

export function problemPage(data: PageData['problem']): Response {
  const title = data.language === 'ko' ? '문제가 생겼습니다' : 'Something went wrong'
  return formPage({ ...data, title, lead: problemText(data.language, data.code) })
}
