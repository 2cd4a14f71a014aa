import { median, medianRatio } from './measure.mjs'

const AT = 32

/**
 * What the measurements say of each goal, at 32 connections. `what` is how they are compared: `rate`, or `perCpu` on a machine that
 * does other work as well. Where the loader was the limit it is `perCpu` in any case.
 *
 * @returns {{ goal: string, wanted: string, seen: string, isMet: boolean }[]}
 */
export function judgeGoals({ operations, storm }, { what, scale }) {
  const [smallest, middle, largest] = [scale.sizes[0], scale.sizes[1], scale.sizes.at(-1)]
  const goals = []
  const goal = (text, wanted, ratio, isMet) => {
    if (Number.isNaN(ratio)) return
    goals.push({ goal: text, wanted, seen: ratio.toFixed(2), isMet })
  }
  const find = (operation, name, sessions) =>
    operations[operation]?.find(
      (one) =>
        one.name === name && one.connections === AT && (sessions === undefined || one.sessions === sessions),
    )
  const ratio = (operation, [name, sessions], [other, otherSessions]) => {
    const [one, two] = [find(operation, name, sessions), find(operation, other, otherSessions)]
    if (!one || !two) return Number.NaN
    return medianRatio(one, two, loaderWasBusy(one) || loaderWasBusy(two) ? 'perCpu' : what)
  }
  const atLeast = (text, least, value) => goal(text, `≥ ${least}`, value, value >= least)
  const atMost = (text, most, value) => goal(text, `≤ ${most}`, value, value <= most)

  for (const kind of ['sqlite', 'postgres']) {
    const own = `mapae, ${kind}`
    const same = (operation) => ratio(operation, [own, smallest], [own, largest])
    atLeast(
      `refresh, ${kind} ÷ no database`,
      0.8,
      ratio('refresh', [own, middle], ['mapae, no database', middle]),
    )
    atLeast(
      `refresh, ${kind} ÷ oidc-provider in memory`,
      4,
      ratio('refresh', [own, middle], ['oidc-provider, in memory']),
    )
    atLeast(
      `the same, access tokens that this process has not seen`,
      4,
      ratio('refresh', [`${own}, unseen tokens`, largest], ['oidc-provider, in memory']),
    )
    atLeast(`me, ${kind} ÷ the select alone`, 0.9, ratio('me', [own, middle], [`the select alone, ${kind}`]))
    atLeast(
      `me, ${kind} ÷ better-auth get-session`,
      20,
      ratio('me', [own, middle], ['better-auth, get-session']),
    )
    atMost(
      `refresh, ${kind}: cost at ${largest.toLocaleString('en')} ÷ at ${smallest.toLocaleString('en')}`,
      1.5,
      same('refresh'),
    )
    atMost(
      `me, ${kind}: cost at ${largest.toLocaleString('en')} ÷ at ${smallest.toLocaleString('en')}`,
      1.5,
      same('me'),
    )
    atLeast(`login, ${kind} ÷ argon2id alone`, 0.9, ratio('login', [own, smallest], ['argon2id alone']))
    const stormy = storm?.find(({ name }) => name === own)
    if (stormy)
      atMost(`me in a storm of logins, ${kind}: p99 ÷ idle p99`, 3, stormy.busy.p99 / stormy.idle.p99)
  }
  return goals
}

/** The loader took most of a processor: then it may be what was measured. */
export function loaderWasBusy({ rounds }) {
  return median(rounds.map(({ loader }) => loader)) > 0.9
}
