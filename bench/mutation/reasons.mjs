/**
 * Why no test can notice a change: the changed code does the same, or nothing outside could tell. Named by the code and what it
 * became, so that a reason does not outlive its code.
 * @type {readonly { file: string, from: string, to: string, why: string }[]}
 */
export const reasons = [
  {
    file: 'jws/compact.ts',
    from: 'last < 0',
    to: 'last <= 0',
    why: 'the first dot is at 1 or later, so the last is never at 0',
  },
  {
    file: 'jws/compact.ts',
    from: 'last < 0',
    to: 'false',
    why: 'with one dot, the search for a third begins at the start and finds the first; the condition says what is meant',
  },
  {
    file: 'jws/header.ts',
    from: "'latin1'",
    to: '""',
    why: 'a header that was read is ASCII, which UTF-8 encodes alike',
  },
  {
    file: 'jws/sign.ts',
    from: 'signingInput.length > maxLength',
    to: 'false',
    why: 'the whole token is measured too; this only saves signing what is too long anyway',
  },
  {
    file: 'jws/sign.ts',
    from: 'signingInput.length > maxLength',
    to: 'signingInput.length >= maxLength',
    why: 'the token is longer than its signing input, and is refused then in any case',
  },
  {
    file: 'jwt/cache.ts',
    from: 'token.slice(-TAIL)',
    to: 'token',
    why: 'the whole token leads to its entry as well; its end is only faster to look up',
  },
  {
    file: 'jwt/cache.ts',
    from: '-TAIL',
    to: '+TAIL',
    why: 'all of the token but its first characters leads to its entry as well; its end is only faster to look up',
  },
  {
    file: 'jwt/cache.ts',
    from: "''",
    to: '"Stryker was here!"',
    why: 'what is no text is never verified, so nothing is ever remembered under this key',
  },
  {
    file: 'jwt/policy.ts',
    from: 'list.filter(isName)',
    to: 'list',
    why: 'every entry is known to be a name by then; this only tells the compiler',
  },
  {
    file: 'keys/thumbprint.ts',
    from: "''",
    to: '"Stryker was here!"',
    why: 'node:crypto never leaves kty out; the default only tells the compiler',
  },
  {
    file: 'keys/export.ts',
    from: '[]',
    to: '["Stryker was here"]',
    why: 'no key has a member of that name',
  },
  {
    file: 'keys/export.ts',
    from: 'false',
    to: 'true',
    why: 'a public key has no function to sign, whatever it may',
  },
  {
    file: 'keys/import.ts',
    from: "'probe'",
    to: '""',
    why: 'any text will do to try whether the two parts belong together',
  },
  {
    file: 'keys/key.ts',
    from: "typeof value === 'object' && value !== null",
    to: 'true',
    why: 'a WeakMap holds nothing that is no object; the condition only tells the compiler',
  },
  {
    file: 'keys/key.ts',
    from: "typeof value === 'object' && value !== null",
    to: "typeof value === 'object' || value !== null",
    why: 'a WeakMap holds nothing that is no object; the condition only tells the compiler',
  },
  {
    file: 'keys/key.ts',
    from: "typeof value === 'object'",
    to: 'true',
    why: 'a WeakMap holds nothing that is no object; the condition only tells the compiler',
  },
  {
    file: 'keys/key.ts',
    from: 'value !== null',
    to: 'true',
    why: 'a WeakMap holds nothing that is no object; the condition only tells the compiler',
  },
]
