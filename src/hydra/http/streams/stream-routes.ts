import { type Request, type Response, Router } from 'express'
import type { Caller } from '../../model/caller.ts'
import { Problem } from '../../model/problem.ts'
import { ChangeLog, positionId, positionOf } from '../../store/change-log.ts'
import { type AccessControl, authenticate } from '../authenticate.ts'
import { requireTenant } from '../authorize.ts'
import type { BoundApi } from '../bound-api.ts'
import { methodNotAllowed } from '../method-not-allowed.ts'
import { ChangeFeed, type Listen } from './change-feed.ts'
import { EventStream } from './event-stream.ts'
import { StreamLimits } from './stream-limits.ts'
import { topicsOf } from './topics.ts'

/** The address of a hub in the Mercure protocol, whose topics and headers the streams follow. */
export const streamPath = '/.well-known/mercure'

/** How an application connects the streams to its process. */
export interface StreamOptions {
  listen: Listen
  /** Ends all streams when the process stops. */
  stopping?: AbortSignal
}

/** The streams of changes that a process serves. */
export interface ChangeStreams {
  routes: Router
  /** The number of open streams. */
  readonly open: number
  /** Receives the seconds from the start of a write's transaction to the reading of its change. */
  onLag?: (seconds: number) => void
}

const headers = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'private, no-store',
  // Nginx would hold events back.
  'X-Accel-Buffering': 'no',
}

export function changeStreams(api: BoundApi, access: AccessControl, options: StreamOptions): ChangeStreams {
  const feed = new ChangeFeed(api, new ChangeLog(api.tenancy.column), options.listen, (seconds) =>
    served.onLag?.(seconds),
  )
  const limits = new StreamLimits()
  const streams = new Set<EventStream>()
  const { stopping } = options
  stopping?.addEventListener('abort', () => {
    for (const stream of streams) stream.end()
  })

  const serve = async (request: Request, response: Response): Promise<void> => {
    const caller = await authenticate(access, request, response)
    // A reader that has left meanwhile would never be counted out.
    if (response.destroyed) return
    const tenant = requireTenant(api, caller)
    const { query, lastEventId } = parametersOf(request)
    const topics = topicsOf(query.getAll('topic'), api.iris)
    if (stopping?.aborted)
      throw new Problem(503, 'The server is stopping. Connect again in 2 seconds.', { 'Retry-After': '2' })
    if (request.method === 'HEAD') {
      response.writeHead(200, headers).end()
      return
    }
    const free = limits.take(caller, tenant)
    response.once('close', free)
    const stream = new EventStream({ response, topics, authorize: () => stillActsFor(tenant, access, request) })
    streams.add(stream)
    response.once('close', () => streams.delete(stream))
    await begin(feed, tenant, stream, response, lastEventId)
  }

  const routes = Router({ caseSensitive: true, strict: true })
  routes.get(streamPath, serve)
  methodNotAllowed(routes, streamPath)
  const served: ChangeStreams = {
    routes,
    get open() {
      return streams.size
    },
  }
  return served
}

/** Joins the feed before the missed changes are read: a change may come twice, but none is left out. */
async function begin(
  feed: ChangeFeed,
  tenant: string,
  stream: EventStream,
  response: Response,
  lastEventId: string | undefined,
): Promise<void> {
  const { position, leave } = await feed.join(tenant, (batch) => stream.take(batch))
  response.once('close', leave)
  if (stream.ended) return leave()
  const from = lastEventId === undefined ? undefined : positionOf(lastEventId)
  const missed = from && (await feed.catchUp(tenant, from).catch(() => undefined))
  const isLost = lastEventId !== undefined && (!missed || missed.incomplete)
  // A reader compares this header with the id that it sent: another one says that updates are missing (Mercure, §7).
  const continued = isLost || lastEventId === undefined ? positionId(position) : lastEventId
  if (stream.ended) return
  response.writeHead(200, { ...headers, 'Last-Event-ID': continued })
  response.flushHeaders()
  stream.start(position, isLost ? feed.lost(position) : missed)
}

/** The parameters of a subscription. The id of the last event comes in a header, or as a parameter of the first connection. */
function parametersOf({ url, headers }: Request): { query: URLSearchParams; lastEventId: string | undefined } {
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1 || url.length))
  const given = headers['last-event-id'] ?? query.get('lastEventID')
  return { query, lastEventId: given ? String(given) : undefined }
}

/** @throws an error when the token has expired, or the caller acts for another tenant by now */
async function stillActsFor(tenant: string, access: AccessControl, request: Request): Promise<Caller> {
  const caller = await access.authenticate(request)
  if (caller.tenant !== tenant) throw new Problem(403, 'The caller no longer acts for the tenant of the stream.')
  return caller
}
