import type { PageData } from '../pages.ts'
import { codeForm } from './code-form.ts'
import { escapeHtml, formPage } from './form-page.ts'

interface Words {
  readonly title: string
  /** `email` is HTML. */
  readonly lead: (email: string) => string
  readonly button: string
  readonly done: string
  readonly doneLead: string
  readonly expired: string
  readonly expiredLead: string
}

/** A page that a mailed link opens to choose a password; `whenExpired` is HTML that stands below an old link's words. */
export function newPasswordPage(
  data: PageData['reset-password' | 'finish-registration'],
  {
    action,
    say,
    whenExpired,
  }: { readonly action: string; readonly say: Words; readonly whenExpired?: string },
): Response {
  switch (data.state) {
    case 'form': {
      const body = codeForm({ ...data, action, password: 'new', button: say.button })
      return formPage({ ...data, title: say.title, lead: say.lead(escapeHtml(data.email)), body })
    }
    case 'done':
      return formPage({ ...data, title: say.done, lead: say.doneLead })
    case 'expired': {
      const page = { ...data, title: say.expired, lead: say.expiredLead }
      return formPage(whenExpired === undefined ? page : { ...page, body: whenExpired })
    }
  }
}
