import type { HeaderReader } from '@mapae/guard/http'
import type { Context, Origin } from '../context.ts'
import { addressOf, networkOf } from '../network.ts'

/** A request, as far as any framework tells of it. */
export interface Arrival {
  readonly header: HeaderReader
  /** Milliseconds: when it came in. */
  readonly arrivedAt: number
  readonly from: Origin
}

/** One request to the auth server, under way. */
export interface Visit extends Arrival {
  readonly request: Request
  readonly connection: ConnectionInfo
  readonly params: Readonly<Record<string, string>>
}

/** What the listener knows of a connection and the request does not say. */
export interface ConnectionInfo {
  /** The address of the peer, which may be a proxy. */
  readonly address?: string | undefined
  /** The listener holds a body to its `Content-Length`, as Node's does. @default false: a declared length is not believed */
  readonly lengthIsKept?: boolean | undefined
  /** The listener bounds the size of all header fields together, as Node's does. @default false: they are counted here */
  readonly headersAreBounded?: boolean | undefined
}

const LONGEST_USER_AGENT = 256

export function visitOf(
  ctx: Context,
  request: Request,
  connection: ConnectionInfo,
  params: Readonly<Record<string, string>>,
): Visit {
  const header = (name: string) => request.headers.get(name) ?? undefined
  const arrived = arrival(ctx, header, connection.address)
  return {
    request,
    connection,
    params,
    header,
    arrivedAt: arrived.arrivedAt,
    get from() {
      return arrived.from
    },
  }
}

/** What every request tells, whatever framework it came through. Where it came from is read when somebody asks. */
export function arrival(ctx: Context, header: HeaderReader, peer?: string): Arrival {
  let from: Origin | undefined
  return {
    header,
    arrivedAt: ctx.clock(),
    get from() {
      from ??= originOf(ctx, header, peer)
      return from
    },
  }
}

function originOf(ctx: Context, header: HeaderReader, peer: string | undefined): Origin {
  const address = clientAddress(ctx.settings.trustProxy, header('x-forwarded-for'), peer)
  const network = networkOf(address)
  return {
    userAgent: header('user-agent')?.slice(0, LONGEST_USER_AGENT) ?? null,
    network: network ?? null,
    address: (network && address) ?? null,
  }
}

/** Each trusted proxy appended one address; what stands to the left of those, anybody can have written. */
function clientAddress(
  proxies: number,
  forwardedFor: string | undefined,
  peer: string | undefined,
): string | undefined {
  if (proxies === 0 || forwardedFor === undefined) return peer
  const hops = forwardedFor.split(',').map((hop) => hop.trim())
  // What a trusted proxy could not name is taken for the proxy.
  return addressOf(hops[Math.max(0, hops.length - proxies)]) ?? peer
}
