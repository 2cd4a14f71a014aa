import { unlessAborted } from '../unless-aborted.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What goes wrong with requests; each a chance from 0 to 1. */
export interface Faults {
  /** The request never arrives. */
  readonly dropRequest?: number
  /** It arrives, and its answer gets lost. */
  readonly dropAnswer?: number
  /** It arrives twice. */
  readonly duplicate?: number
  /** Which answer to a request that arrived twice is the one that comes back. @default 'second' */
  readonly answerOfDuplicate?: 'first' | 'second'
  /** Milliseconds that a request, and its answer, are under way at most. */
  readonly delay?: number
}

/** A network between clients and a server that a test can break. */
export interface FaultyNetwork {
  fetch(input: string, init?: RequestInit): Promise<Response>
  /** What goes wrong from now on. */
  faults: Faults
  /** Nothing goes through. */
  isDown: boolean
  /** Breaks every connection, as the end of a page or a process does. */
  cut(): void
  /** Every request that was sent, whatever became of it. */
  readonly requests: readonly { readonly method: string; readonly url: string }[]
}

/** `random`: from 0 up to 1, so that a test can repeat what happened. */
export function faultyNetwork({
  fetch: server,
  time,
  random = Math.random,
  faults = {},
}: {
  readonly fetch: (request: Request) => Promise<Response>
  readonly time: VirtualTime
  readonly random?: () => number
  readonly faults?: Faults
}): FaultyNetwork {
  const requests: { method: string; url: string }[] = []
  /** How the callers hear of it whose requests are under way. */
  const breaks = new Set<(error: TypeError) => void>()
  const happens = (chance = 0): boolean => random() < chance

  const network: FaultyNetwork = {
    faults,
    isDown: false,
    requests,
    cut: () => {
      for (const stop of breaks) stop(lost())
    },
    fetch: (input, init = {}) => {
      requests.push({ method: init.method ?? 'GET', url: input })
      const { signal, ...rest } = init
      if (signal?.aborted) return Promise.reject(signal.reason)
      return orBroken(unlessAborted(signal, deliver(input, rest)))
    },
  }
  const deliver = async (input: string, init: RequestInit): Promise<Response> => {
    const { dropRequest, dropAnswer, duplicate, answerOfDuplicate, delay = 0 } = network.faults
    await time.sleep(random() * delay)
    if (network.isDown || happens(dropRequest)) throw lost()
    const once = (): Promise<Response> => time.hold(server(new Request(input, init)))
    const first = await once()
    const second = happens(duplicate) ? await once() : first
    const response = answerOfDuplicate === 'first' ? first : second
    await time.sleep(random() * delay)
    if (network.isDown || happens(dropAnswer)) throw lost()
    return response
  }
  const orBroken = <T>(work: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      breaks.add(reject)
      work.then(resolve, reject).finally(() => breaks.delete(reject))
    })
  return network
}

/** What `fetch` rejects with (Fetch §5.6). */
function lost(): TypeError {
  return new TypeError('Failed to fetch')
}
