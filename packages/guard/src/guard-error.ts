/** What a guard throws when it is set up wrongly. Refused requests are never thrown: they are an `Admission`. */
export class GuardError extends Error {
  override readonly name = 'GuardError'
  readonly code: GuardErrorCode

  constructor(code: GuardErrorCode, description: string, options?: ErrorOptions) {
    super(description, options)
    this.code = code
  }
}

/** `options_invalid`: an option of `createGuard`, `protect` or `cookieNames`. `not_protected`: no guard ran before. */
export type GuardErrorCode = 'options_invalid' | 'not_protected'
