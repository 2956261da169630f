import type { Request, Response } from 'express'
import type { Api, Bound } from '../api.ts'
import { formats } from '../formats/format.ts'
import { readUpload } from '../input/multipart.ts'
import { readBytes } from '../input/read-bytes.ts'
import type { Caller } from '../model/caller.ts'
import { type Operation, tenantRoles } from '../model/operation.ts'
import { Problem } from '../model/problem.ts'
import { answer } from './idempotency.ts'
import { choose } from './negotiation.ts'
import { isStrict } from './preferences.ts'
import { ApiRequest } from './request.ts'
import { Call } from './request-call.ts'
import { write } from './respond.ts'

/** Finds out who is asking; throws Problem 401 when the credentials are no good. */
export type Authenticate = (request: Request) => Promise<Caller>

/** What a request has to get past. */
export interface Gate {
  authenticate: Authenticate
  rateLimiter?: RateLimiter
}

/** An operation of which few requests are allowed, by the name under which they are counted. */
export interface SensitiveOperation {
  name: string
  window: 'minute' | 'hour'
}

/** Counts a request before it is answered, and refuses one too many; the caller is undefined after a bad token. */
export type RateLimiter = (
  request: Request,
  response: Response,
  caller: Caller | undefined,
  rarity: SensitiveOperation | undefined,
) => Promise<void>

/** Answers one method of one path, whose suffix may name a format. */
export type Endpoint = (
  request: Request,
  response: Response,
  id: string | undefined,
  suffix: string | undefined,
) => Promise<void>

/** Each is a merge patch: clients that are generated from OpenAPI send `application/json`. */
export const patchTypes = ['application/merge-patch+json', 'application/json', 'application/ld+json']

const postTypes = ['application/ld+json', 'application/json', 'text/turtle']

/** What a body other than a file may have. */
const kilobytes = 256
const bounds = {
  limit: kilobytes * 1024,
  tooLarge: () => new Problem(413, `The body is too large: ${kilobytes} kB is the most.`),
}

/** The media types that an operation reads. */
export function inputTypes({ method, expects }: Operation): string[] {
  if (method === 'PATCH') return patchTypes
  return expects === 'file' ? ['multipart/form-data'] : postTypes
}

/** Makes an operation answer requests: who may is judged first, then what is sent and wanted, then it is done. */
export function endpoint(api: Api, bound: Bound, operation: Operation, gate: Gate): Endpoint {
  const { options } = bound.resource
  const caching = cachingOf(api, bound, operation)
  const heedsStrict = operation.method === 'GET' || (operation.expects && operation.expects !== 'file')
  const made = madeHeaders(bound, operation)
  const rarity = rarityOf(bound, operation)
  const takeIn = operation.method === 'GET' ? undefined : reader(api, bound, operation)
  const offered = formats.filter(({ tabular }) => !tabular || operation.returns === 'collection')
  return async (request, response, id, suffix) => {
    const caller = permitted(api, operation, await admit(gate, request, response, rarity))
    const format = choose(request.headers, offered, suffix)
    if (heedsStrict && isStrict(request.headers)) response.setHeader('Preference-Applied', 'handling=strict')
    const bytes = await takeIn?.(request, response)
    response.setHeader('Cache-Control', caching)
    if (options.public) response.vary('Accept-Language')
    if (made) response.setHeader('Accept-Patch', made)
    const file = bytes && (await operation.file?.read(bytes))
    const call = new Call(api, bound, operation, caller, new ApiRequest({ id, suffix, request, bytes, file }))
    await write(api, await answer(call), format, response, () => call.share)
  }
}

/** Tells who is asking, and counts the request where requests are counted. */
export function admit(gate: Gate, request: Request, response: Response, rarity?: SensitiveOperation): Promise<Caller> {
  const { authenticate, rateLimiter } = gate
  return rateLimiter ? counted(rateLimiter, authenticate, rarity, request, response) : authenticate(request)
}

/** Tells who is asking, and counts the request as theirs; one with a bad token as its address's. */
async function counted(
  meter: RateLimiter,
  authenticate: Authenticate,
  rarity: SensitiveOperation | undefined,
  request: Request,
  response: Response,
): Promise<Caller> {
  try {
    const caller = await authenticate(request)
    await meter(request, response, caller, rarity)
    return caller
  } catch (error) {
    if (error instanceof Problem && error.status === 401) await meter(request, response, undefined, undefined)
    throw error
  }
}

function rarityOf({ resource }: Bound, { method, path, sensitive }: Operation): SensitiveOperation | undefined {
  return sensitive && { name: `${method} ${resource.path}${path}`, window: sensitive }
}

function permitted(api: Api, operation: Operation, caller: Caller): Caller {
  if (api.allows(operation, caller)) return caller
  if (caller.role === 'anonymous')
    throw new Problem(401, 'This needs a bearer token: send it as "Authorization: Bearer …".', {
      'WWW-Authenticate': 'Bearer',
    })
  if (caller.role === 'guest' && caller.reason) throw new Problem(403, caller.reason)
  if (caller.readOnlyReason && api.allows(operation, { role: caller.role }))
    throw new Problem(403, caller.readOnlyReason)
  const refusal = operation.refusals?.[caller.role]
  if (refusal) throw new Problem(403, refusal)
  const may = (operation.may ?? tenantRoles).join(' or ')
  throw new Problem(403, `This is for the role ${may}; yours is ${caller.role}.`)
}

/** What a tenant has may be kept by its client alone, which asks again each time; some of it may not be kept at all. */
function cachingOf(api: Api, { resource }: Bound, { members }: Operation): string {
  if (resource.options.public) return 'public, max-age=3600'
  const { sensitive } = members ? api.of(members).resource.options : resource.options
  return sensitive ? 'private, no-store' : 'private, no-cache'
}

/** What has just been made says how it can be changed, though its collection cannot be. */
function madeHeaders({ resource }: Bound, { name }: Operation): string | undefined {
  const patchable = name === 'create' && resource.operations.some(({ method }) => method === 'PATCH')
  return patchable ? patchTypes.join(', ') : undefined
}

/** Refuses what cannot be read before a byte of it is taken in, then takes it in. */
function reader(api: Api, bound: Bound, operation: Operation) {
  const types = inputTypes(operation)
  return async (request: Request, response: Response): Promise<Buffer | undefined> => {
    const given = request.headers['content-type']?.split(';')[0].trim().toLowerCase()
    const empty = request.headers['transfer-encoding'] === undefined && !Number(request.headers['content-length'] ?? 0)
    const optional = operation.method === 'DELETE' || (empty && !api.needsBody(operation, bound))
    if (!optional && !types.includes(given ?? '')) throw unsupported(given, types)
    if (operation.file) return readUpload(request, response, operation.file.limit)
    return empty ? undefined : readBytes(request, response, bounds)
  }
}

function unsupported(given: string | undefined, types: string[]): Problem {
  const said = given
    ? `The Content-Type "${given.slice(0, 100)}" is not understood here.`
    : 'A Content-Type must be given.'
  return new Problem(415, `${said} Send one of: ${types.join(', ')}.`)
}
