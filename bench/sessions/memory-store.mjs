// A module hook: the server's `store/sessions.js` with its two hot statements answered from memory. Everything else is the
// code that is measured elsewhere, so what remains is Mapae with the database left out.
const SHIM = new URL('./memory-sessions.mjs', import.meta.url).href

export async function resolve(specifier, context, next) {
  const resolved = await next(specifier, context)
  const isTheirs =
    resolved.url.endsWith('/packages/server/dist/store/sessions.js') && context.parentURL !== SHIM
  return isTheirs ? { ...resolved, url: SHIM } : resolved
}
