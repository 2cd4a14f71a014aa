/** Milliseconds since 1970, as `Date.now` gives them. */
export type Clock = () => number

/** Milliseconds as the whole seconds that claims and answers speak (RFC 7519 §2, NumericDate). */
export const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000)
