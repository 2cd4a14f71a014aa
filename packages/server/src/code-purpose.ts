/** What a mailed code is good for. */
export type Purpose = 'register' | 'verify-email' | 'change-email' | 'reset-password'

/** How long a code lives from the writing of its mail. */
export const HOURS: Readonly<Record<Purpose, number>> = {
  register: 24,
  'verify-email': 24,
  'change-email': 1,
  'reset-password': 1,
}
