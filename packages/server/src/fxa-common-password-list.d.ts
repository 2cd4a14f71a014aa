declare module 'fxa-common-password-list' {
  /** Mozilla's list: the 50,000 most common passwords of eight characters or more. */
  const list: { test(password: string): boolean }
  export default list
}
