/** What a mailed code is good for. */
export type Purpose = 'register' | 'verify-email' | 'change-email' | 'reset-password'

const DAY = 86_400

/** How long a code works from the writing of its mail, in seconds: what begins an account a day, what changes one `codeLifetime`. */
export function lifetimeOf(purpose: Purpose, { codeLifetime }: { readonly codeLifetime: number }): number {
  switch (purpose) {
    case 'register':
    case 'verify-email':
      return DAY
    case 'change-email':
    case 'reset-password':
      return codeLifetime
  }
}
