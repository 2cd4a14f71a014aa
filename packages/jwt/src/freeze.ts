/** Freezes a JSON value and all within it: what several callers get, none of them may change for the others. */
export function freezeDeep<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  for (const within of Object.values(value)) freezeDeep(within)
  return Object.freeze(value)
}
