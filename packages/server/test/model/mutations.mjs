// node packages/server/test/model/mutations.mjs [sqlite|postgres] [words of a mutation]
// Breaks the session rules on purpose, one way at a time in a copy of this checkout, and shows the shortest story in
// which the model test sees it. Without words of one mutation it writes docs/model-mutations.md. Takes several minutes.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * @typedef {{ from: string, to: string }} Change
 * @typedef {Change & { what: string, file: string, and?: Change, unseen?: string }} Mutation
 * `unseen`: why nobody outside can tell the difference.
 */

/** @type {readonly Mutation[]} */
const mutations = [
  {
    what: 'row 3: an end is not looked at',
    file: 'session-rules.ts',
    from: "  if (session.endedAt !== null) return session.endReason ?? 'ended'\n",
    to: '',
  },
  {
    what: 'row 3: the idle end comes a millisecond later',
    file: 'session-rules.ts',
    from: 'session.idleExpiresAt <= now',
    to: 'session.idleExpiresAt < now',
  },
  {
    what: 'row 4 is gone: a late tab rotates',
    file: 'session-rules.ts',
    from: 'const lateTab = fresh && ',
    to: 'const lateTab = !fresh && fresh && ',
  },
  {
    what: 'row 4 holds for ever, not for the reuse interval',
    file: 'session-rules.ts',
    from: 'const lateTab = fresh && ',
    to: 'const lateTab = ',
  },
  {
    what: 'row 6 is gone: what is newer than the row is refused',
    file: 'session-rules.ts',
    from: "if (behind < 0) return { type: 'adopt' }",
    to: "if (behind < 0) return { type: 'foreign' }",
  },
  {
    what: 'row 6 goes on from the row instead of the token',
    file: 'renewal.ts',
    from: 'const generation = presented.generation + 1',
    to: 'const generation = session.generation + 1',
  },
  {
    what: 'row 7 forgets the attempt id',
    file: 'session-rules.ts',
    from: "    if (same(presented.attemptHash, session.attemptHash)) return { type: 'repeat', because: 'same-attempt' }\n",
    to: '',
  },
  {
    what: 'row 7 takes every older token within the interval',
    file: 'session-rules.ts',
    from: 'if (behind === 1) {',
    to: 'if (behind >= 1) {',
  },
  {
    what: 'the reuse interval includes its last moment',
    file: 'session-rules.ts',
    from: '< reuseInterval * 1000',
    to: '<= reuseInterval * 1000',
  },
  {
    what: 'the reuse interval begins anew with every request',
    file: 'renewal.ts',
    from: '  return judge(\n    session,',
    to: '  return judge(\n    { ...session, rotatedAt: arrivedAt },',
  },
  {
    what: 'a clock that stepped back counts as time gone by',
    file: 'session-rules.ts',
    from: 'Math.max(0, presented.arrivedAt - session.rotatedAt)',
    to: 'Math.abs(presented.arrivedAt - session.rotatedAt)',
  },
  {
    what: 'row 8 is gone: a delayed duplicate is a theft',
    file: 'session-rules.ts',
    from: "  if (behind === 2 && same(presented.attemptHash, session.previousAttemptHash)) return { type: 'superseded' }\n",
    to: '',
  },
  {
    what: 'row 8 has nothing to compare: the attempt id before is not kept',
    file: 'renewal.ts',
    from: 'return rotate(ctx, its, its.session.attemptHash)',
    to: 'return rotate(ctx, its, null)',
  },
  {
    what: 'row 9 refuses and does not end',
    file: 'session-rules.ts',
    from: "return { type: 'reused' }",
    to: "return { type: 'superseded' }",
  },
  {
    what: 'row 9 says that the session ended, and does not end it',
    file: 'renewal.ts',
    from: 'if (!(await endReusedSession(db, { id: session.id, presented: presented.generation, reason, now })))',
    to: 'if (reason === undefined && (await endReusedSession(db, { id: session.id, presented: 0, reason, now })))',
  },
  {
    what: 'of two that race both win: the loser is answered with a token of its own',
    file: 'renewal.ts',
    from: '  if (!won) return undefined\n',
    to: '',
  },
  {
    what: 'the loser of a race is judged again by the row that it read before',
    file: 'renewal.ts',
    from: '    session = await findSession(ctx.store.db, presented.sid)\n',
    to: '',
  },
  {
    what: 'the statement that rotates does not look at the generation',
    file: 'store/sessions.ts',
    from: "      .where('generation', '=', rotation.expectedGeneration)\n      .where('refresh_hash', '=', rotation.expectedHash)\n",
    to: '',
  },
  {
    what: 'the statement that rotates does not keep the attempt id',
    file: 'store/sessions.ts',
    from: 'attempt_hash: rotation.attemptHash,',
    to: 'attempt_hash: null,',
  },
  {
    what: 'the statement that rotates does not write down when',
    file: 'store/sessions.ts',
    from: '        rotated_at: rotation.now,\n',
    to: '',
  },
  {
    what: 'renewal does not keep a session awake',
    file: 'store/sessions.ts',
    from: '        idle_expires_at: rotation.idleExpiresAt,\n      })\n',
    to: '      })\n',
  },
  {
    what: 'an end takes the place of an earlier one',
    file: 'store/sessions.ts',
    from: ".where('id', '=', id)\n    .where('ended_at', 'is', null)\n    .returning('id')",
    to: ".where('id', '=', id)\n    .returning('id')",
  },
  {
    what: 'the access token of another session will do',
    file: 'renewal.ts',
    from: '(presented && access.claims.sid !== presented.sid) ||',
    to: '',
  },
  {
    what: 'the secret of a refresh token is the same for every generation',
    file: 'refresh-token.ts',
    from: "createHmac('sha256', refreshKey).update(",
    to: "createHmac('sha256', refreshKey).update(sid + salt || ",
  },
  {
    what: 'only the newest server secret reads',
    file: 'refresh-token.ts',
    from: 'secrets.find((secret) => secret.k === presented.k)',
    to: 'secrets.slice(0, 1).find((secret) => secret.k === presented.k)',
  },
  {
    what: 'a retry is answered with a token of the newest server secret only',
    file: 'refresh-token.ts',
    from: '  return secrets\n    .map(',
    to: '  return secrets.slice(0, 1)\n    .map(',
  },
  {
    what: 'an access token outlives its session',
    file: 'access-token.ts',
    from: 'Math.min(iat + ctx.settings.accessTokenLifetime, seconds(session.expiresAt))',
    to: 'iat + ctx.settings.accessTokenLifetime',
  },
  {
    what: 'a key that another replica has just made is not looked for',
    file: 'signing-keys.ts',
    from: '      if (kid !== undefined && !publicKeys.has(kid)) await lookAgain()\n',
    to: '',
  },
  {
    what: 'the statement that rotates does not compare the hash',
    file: 'store/sessions.ts',
    from: "      .where('refresh_hash', '=', rotation.expectedHash)\n",
    to: '',
    unseen: 'the generation alone tells rows apart, unless commits were lost between reading and writing one',
  },
  {
    what: 'the statement that rotates does not look whether the session ended meanwhile',
    file: 'store/sessions.ts',
    from: "      .where('refresh_hash', '=', rotation.expectedHash)\n      .where('ended_at', 'is', null)\n",
    to: "      .where('refresh_hash', '=', rotation.expectedHash)\n",
    unseen:
      'it stays ended, and a renewal that began before the end may as well have been answered before it',
  },
  {
    what: 'bound: the proof of any key will do',
    file: '../../guard/src/dpop/proof-check.ts',
    from: 'if (request.jkt !== undefined && jkt !== request.jkt)',
    to: 'if (request.jkt !== undefined && jkt === undefined)',
  },
  {
    what: 'bound: a proof is good for any access token',
    file: '../../guard/src/dpop/proof-check.ts',
    from: "if (claims['ath'] !== hashOf(request.accessToken))",
    to: "if (claims['ath'] === 'none')",
  },
  {
    what: 'bound: a proof is good for any address',
    file: '../../guard/src/dpop/proof-check.ts',
    from: "if (uri === undefined || normalizedUri(claims['htu']) !== uri)",
    to: 'if (uri === undefined)',
  },
  {
    what: 'bound: a proof is good as often as it is sent',
    file: 'proofs.ts',
    from: '!(await insertProof(db, { hash, expiresAt }))',
    to: '(await insertProof(db, { hash, expiresAt })) && false',
  },
  {
    what: 'bound: each replica remembers the proofs that it has seen itself',
    file: 'proofs.ts',
    from: 'return { seenBefore: async (hash, expiresAt) => !(await insertProof(db, { hash, expiresAt })) }',
    to: 'return { seenBefore: async (hash, expiresAt) => own.has(hash) || !(await insertProof(db, { hash, expiresAt }), own.add(hash)) }',
    and: {
      from: 'function createSeenProofs({ db }: Store): SeenProofs {',
      to: 'function createSeenProofs({ db }: Store): SeenProofs {\n  const own = new Set()',
    },
  },
  {
    what: 'bound: whether a proof was seen is read first and written down later',
    file: 'store/dpop-proofs.ts',
    from: 'const rows = await inserted(db, proof)',
    to: "const known = await db.selectFrom('dpop_proofs').select('hash').where('hash', '=', proof.hash).execute()\n  if (known.length > 0) return false\n  await inserted(db, proof)\n  const rows = [proof]",
  },
  {
    what: 'bound: a proof is remembered no longer than it is good',
    file: '../../guard/src/dpop/proof-check.ts',
    from: 'const margin = 60_000',
    to: 'const margin = 0',
  },
  {
    what: 'bound: a nonce is taken in its own period only',
    file: '../../guard/src/dpop/nonces.ts',
    from: 'Math.abs(made - now()) <= 1',
    to: 'Math.abs(made - now()) <= 0',
  },
  {
    what: 'bound: a nonce is good for ever',
    file: '../../guard/src/dpop/nonces.ts',
    from: 'if (made === undefined || !(Math.abs(made - now()) <= 1)) return undefined',
    to: 'if (made === undefined) return undefined',
  },
  {
    what: 'bound: nonces are known by the newest server secret only',
    file: '../../guard/src/dpop/nonces.ts',
    from: 'return keys.some(',
    to: 'return keys.slice(0, 1).some(',
  },
  {
    what: 'bound: the access token may come as Bearer',
    file: 'bound-renewal.ts',
    from: "if (accessToken !== undefined && scheme !== 'DPoP')",
    to: "if (accessToken === 'none' && scheme !== 'DPoP')",
  },
  {
    what: 'bound: a wrong proof ends the session',
    file: 'bound-renewal.ts',
    from: "if (refused?.type === 'invalid_dpop_proof') await auditRefusal(ctx, session, refused, request.from)",
    to: "if (refused?.type === 'invalid_dpop_proof') {\n    await auditRefusal(ctx, session, refused, request.from)\n    await endSession(ctx.store.db, { id: session.id, reason: 'refresh_token_reuse', now: ctx.clock() })\n  }",
    and: { from: 'import { findSession, renew', to: 'import { endSession, findSession, renew' },
  },
  {
    what: 'bound: who has no key is told why the session ended',
    file: 'bound-renewal.ts',
    from: '  const refused = await refuseProof(ctx, session.jkt, request)\n',
    to: "  const ended = whyEnded(session, request.arrivedAt)\n  if (ended) return { type: 'session_ended', reason: ended }\n  const refused = await refuseProof(ctx, session.jkt, request)\n",
  },
  {
    what: 'bound: the session rotates like any other',
    file: 'renewal.ts',
    from: '  if (isBound(proved.session)) return refreshBoundSession(ctx, proved.session, request)\n  if (request.possession.proof.field !== undefined || request.possession.scheme ===',
    to: '  if (!isBound(proved.session) && request.possession.scheme ===',
  },
  {
    what: 'bound: a renewed access token is bound no more',
    file: 'bound-renewal.ts',
    from: 'await mintAccessToken(ctx, session)',
    to: 'await mintAccessToken(ctx, { ...session, jkt: null })',
  },
  {
    what: 'bound: renewal does not keep the session awake',
    file: 'store/sessions.ts',
    from: '.set({ refresh_hash: refreshHash, rotated_at: now, idle_expires_at: idleExpiresAt })',
    to: '.set({ refresh_hash: refreshHash, rotated_at: now })',
  },
  {
    what: 'bound: the token that was given out is not the one that is kept',
    file: 'store/sessions.ts',
    from: '.set({ refresh_hash: refreshHash, rotated_at: now, idle_expires_at: idleExpiresAt })',
    to: '.set({ rotated_at: now, idle_expires_at: idleExpiresAt })',
  },
  {
    what: 'bound: renewal does not look whether the session ended meanwhile',
    file: 'store/sessions.ts',
    from: "    .where('jkt', 'is not', null)\n    .where('ended_at', 'is', null)\n",
    to: "    .where('jkt', 'is not', null)\n",
    unseen:
      'it stays ended, and a renewal that began before the end may as well have been answered before it',
  },
  {
    what: 'bound: a wrong proof is not written down',
    file: 'bound-renewal.ts',
    from: "if (refused?.type === 'invalid_dpop_proof') await",
    to: 'if (refused?.type === undefined && refused) await',
  },
]

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const [database = 'sqlite', ...words] = process.argv.slice(2)
const chosen = mutations.filter(({ what }) => what.includes(words.join(' ')))
const copy = mkdtempSync(join(tmpdir(), 'mapae-mutations-'))
try {
  copyCheckout()
  const reports = chosen.map(report)
  if (words.length === 0 && database === 'sqlite')
    writeFileSync(join(root, 'docs/model-mutations.md'), page(reports))
} finally {
  rmSync(copy, { recursive: true, force: true })
}

function copyCheckout() {
  for (const name of ['packages', 'test-support', 'vitest.config.ts', 'package.json', 'tsconfig.base.json'])
    cpSync(join(root, name), join(copy, name), {
      recursive: true,
      filter: (path) => !/\/(dist|node_modules)(\/|$)/.test(path),
    })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
}

/**
 * @param {Mutation} mutation
 * @returns {{ mutation: Mutation, story: string | undefined }}
 */
function report(mutation) {
  const file = join(copy, 'packages/server/src', mutation.file)
  const source = readFileSync(file, 'utf8')
  const { and } = mutation
  writeFileSync(file, and ? changed(changed(source, mutation), and) : changed(source, mutation))
  const story = storyThatShowsIt()
  writeFileSync(file, source)
  const expected = mutation.unseen === undefined
  if (expected !== (story !== undefined)) process.exitCode = 1
  console.log(`${story === undefined ? 'NOT SEEN' : 'seen'}: ${mutation.what}\n${story ?? ''}`)
  return { mutation, story }
}

/**
 * @param {string} source
 * @param {Change} change
 */
function changed(source, { from, to }) {
  if (source.split(from).length !== 2) throw new Error(`there is not, once, what is to be broken: ${from}`)
  return source.replace(from, () => to)
}

/** The model test's own words, or undefined when it passes. Throws when it failed in any other way. */
function storyThatShowsIt() {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      'packages/server/test/model',
      '-t',
      database,
      '--reporter=json',
    ],
    {
      cwd: copy,
      encoding: 'utf8',
      env: { ...process.env, MAPAE_MODEL_RUNS: '400', MAPAE_MODEL_SEED: '1' },
      maxBuffer: 2 ** 28,
    },
  )
  if (status === 0) return undefined
  const [, words] = /"Disagreement: \\n(.*?)\\n\s+at /.exec(stdout) ?? []
  if (words === undefined) throw new Error(`the model test could not be run:\n${stdout}${stderr}`)
  return JSON.parse(`"${words}"`).trimEnd()
}

/** @param {readonly { mutation: Mutation, story: string | undefined }[]} reports */
function page(reports) {
  const seen = reports.filter(({ story }) => story !== undefined)
  const unseen = reports.filter(({ story }) => story === undefined)
  return [
    '# What the model test sees',
    '',
    'Written by `node packages/server/test/model/mutations.mjs`, which breaks the session rules in one place at a time and',
    'runs the [model test](model.md) until it fails. Each story is as short as fast-check could make it; tokens are named by',
    'their generation, attempt ids `a1`, `a2` …, proofs `p1`, `p2` …',
    '',
    ...seen.flatMap(({ mutation, story }, index) => [
      `## ${index + 1}. ${mutation.what}`,
      '',
      `\`${mutation.file.replace('../../', '')}\``,
      '',
      '```text',
      story ?? '',
      '```',
      '',
    ]),
    '## What nobody can see',
    '',
    ...unseen.map(
      ({ mutation }) => `- ${mutation.what} (\`${mutation.file}\`): ${mutation.unseen ?? 'NOT SEEN'}.`,
    ),
    '',
  ].join('\n')
}
