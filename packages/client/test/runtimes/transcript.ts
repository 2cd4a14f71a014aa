/** How a client of the story gets its tokens: in cookies, bound to a key, or neither. */
export type How = 'cookie' | 'bound' | 'unbound'

/**
 * What story.mjs tells, in every runtime. A bound session needs one more request wherever its nonce (RFC 9449 §8) has expired with
 * its token. `hasStreams`: whether there is a `ReadableStream` to send.
 */
export function transcriptOf(how: How, { hasStreams = true } = {}): readonly object[] {
  const isBound = how === 'bound'
  const forNonce = isBound ? 1 : 0
  const mended = { status: 200, tokens: 0 }
  const over = { code: 'session_ended', status: null, endReason: 'ended_by_user' }
  return [
    { step: 'registered', type: 'logged_in', knows: true },
    { step: 'bound', bound: isBound, proof: isBound },
    { step: 'called', served: [200, 200, 200] },
    { step: 'kept from others', codes: Array(4).fill('target_not_allowed') },
    { step: 'expired unforeseen', ...mended, requests: 2, refused: 1 },
    { step: 'expired foreseen', ...mended, requests: 1, refused: 0 },
    { step: 'twenty at once', served: 20, requests: 1 + forNonce, refused: 0, tokens: 1 },
    { step: 'renewal lost', status: 200, requests: 2 + forNonce, refused: 0, tokens: 1 },
    { step: 'answer lost', status: 200, again: true },
    { step: 'body: text', status: 200, name: 'text' },
    { step: 'body: Request', status: 200, name: 'Request' },
    ...(hasStreams ? [{ step: 'body: stream', status: 200, name: 'stream' }] : []),
    { step: 'restarted', same: true, status: 200 },
    { step: 'two at once', both: [200, 200], tokens: 1 },
    { step: 'given up', name: 'AbortError' },
    { step: 'wrong password', code: 'invalid_credentials', status: 401, endReason: null },
    { step: 'password changed', status: 200, same: false },
    { step: 'diagnosed', codes: how === 'unbound' ? ['not_bound'] : [] },
    { step: 'ended elsewhere', listed: 2, ended: 1 },
    { step: 'session over', ...over, reasons: ['ended_by_user'] },
    { step: 'logged in', status: 200 },
    { step: 'logged out', session: null, status: 401 },
    { step: 'no server', code: 'server_away', status: null, endReason: null },
  ]
}
