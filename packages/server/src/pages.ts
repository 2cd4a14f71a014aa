import type { RefusalCode } from './auth-error.ts'
import type { Language } from './language.ts'

/** What every page is told. */
export interface PageFrame {
  /** Where the server is, by its configuration. */
  readonly url: string
  readonly language: Language
}

/** A page that a mailed link opens. Its form is posted to its own address; looking at it uses nothing up. */
type CodePage<Form> = PageFrame &
  (
    | ({
        readonly state: 'form'
        readonly code: string
        /** The address that the mail was sent to. */
        readonly email: string
        /** Why the form was not taken as it was sent the last time. */
        readonly problem?: RefusalCode
      } & Form)
    | { readonly state: 'done' }
    /** The code is wrong, used, replaced or expired. */
    | { readonly state: 'expired' }
  )

/** The pages and what each is told. `@mapae/web` will draw them; the default draws them plainly. */
export interface PageData {
  readonly start: PageFrame
  /** Fields: `code`; `password` where it is needed. */
  readonly 'verify-email': CodePage<{
    /** Whether the account, which has this address already, or is to get it, must be shown by its password. */
    readonly needsPassword: boolean
    readonly isChange: boolean
  }>
  /** Fields: `code`, `password`. */
  readonly 'reset-password': CodePage<unknown>
  /** Fields: `code`, `password`. The person is logged in when it is done. */
  readonly 'finish-registration': CodePage<unknown>
  /** Field: `email`. `sent` tells nothing of whether the address is known. */
  readonly 'forgot-password': PageFrame &
    ({ readonly state: 'form'; readonly problem?: RefusalCode } | { readonly state: 'sent' })
  /** What a browser is shown in the place of a problem document, where a page was asked for. */
  readonly problem: PageFrame & {
    readonly code: RefusalCode
    /** Seconds until it may be tried again, where it may. */
    readonly retryAfter?: number
  }
}

export type Pages = <Name extends keyof PageData>(name: Name, data: PageData[Name]) => Response
