// argon2id alone, at the cost that Mapae has: as many verifications at once as asked for, and nothing else. No HTTP.
import { hash, verify } from '@node-rs/argon2'
import { serving, settings } from './serve.mjs'

const made = await hash(settings.password, { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 })
serving(
  {},
  {
    async verifications({ atOnce, milliseconds }) {
      const begun = performance.now()
      const latencies = []
      const work = async () => {
        while (performance.now() - begun < milliseconds) {
          const from = performance.now()
          await verify(made, settings.password)
          latencies.push(performance.now() - from)
        }
      }
      await Promise.all(Array.from({ length: atOnce }, work))
      return { seconds: (performance.now() - begun) / 1000, latencies }
    },
  },
)
