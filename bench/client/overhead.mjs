import { contenders } from './contenders.mjs'

/** Microseconds of a call in each contender, over a network that answers at once; rounds take turns. */
export async function measureOverhead({ rounds, calls }) {
  const names = Object.keys(contenders)
  const ready = new Map()
  for (const name of names) {
    const contender = contenders[name]({ url: 'https://auth.example.com', send: answerAtOnce, now: Date.now })
    await contender.login()
    await time(contender, calls)
    ready.set(name, contender)
  }
  const measured = new Map(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++)
    for (const name of names) measured.get(name).push(await time(ready.get(name), calls))
  const bare = median(measured.get('bare fetch'))
  return names.map((name) => {
    const micros = median(measured.get(name))
    return { name, micros, more: micros - bare }
  })
}

async function time(contender, calls) {
  const began = performance.now()
  for (let call = 0; call < calls; call++) await contender.get('/orders')
  return ((performance.now() - began) * 1000) / calls
}

const user = {
  id: 'B5ZGt4vJGdFQDWoXev2grSwEDA',
  name: null,
  email: 'me@example.com',
  email_verified: false,
  username: null,
  roles: [],
  scopes: [],
  created_at: 1_790_000_000,
}

async function answerAtOnce(input) {
  const url = typeof input === 'string' ? input : (input.url ?? input.href)
  if (url.endsWith('/orders')) return Response.json({ orders: [] })
  return Response.json({
    user,
    access_token: 'a'.repeat(600),
    refresh_token: 'mrt_1.B5ZGXJmHLEipe6odYhRodSncWw.1.secret',
    token_type: 'Bearer',
    expires_in: 86_400,
    session_id: 'B5ZGXJmHLEipe6odYhRodSncWw',
    server_time: Math.floor(Date.now() / 1000),
  })
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
