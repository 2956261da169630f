import express, { type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express'
import type { Api, Bound } from './api.ts'
import { Call } from './call.ts'
import type { Caller } from './caller.ts'
import { type Operation, tenantRoles } from './operation.ts'
import { Problem } from './problem.ts'
import type { Resource } from './resource.ts'
import { respond } from './respond.ts'

/** Finds out who is asking; throws Problem 401 when the credentials are no good. */
export type Authenticate = (request: Request) => Promise<Caller>

const jsonTypes = ['application/ld+json', 'application/json']
const inputTypes = {
  GET: [],
  DELETE: [],
  POST: jsonTypes,
  PATCH: ['application/merge-patch+json', 'application/ld+json'],
}
const bodyLimit = '256kb'

/** Every route of the table; a path that stands for itself goes before one with an id in it. */
export function router(api: Api, authenticate: Authenticate): RequestHandler {
  const byFirstSegment = new Map<string, Router>()
  for (const [path, operations] of routes(api)) {
    const segment = path.split('/')[1]
    const resourceRouter = byFirstSegment.get(segment) ?? Router({ caseSensitive: true, strict: true })
    byFirstSegment.set(segment, resourceRouter)
    mount(resourceRouter, path, operations, api, authenticate)
  }
  return (request, response, next) => {
    const { url } = request
    const end = url.slice(1).search(/[/?]/)
    const known = byFirstSegment.get(end < 0 ? url.slice(1) : url.slice(1, end + 1))
    if (known) known(request, response, next)
    else next()
  }
}

type Route = [bound: Bound, operation: Operation]

function routes(api: Api): [path: string, operations: Route[]][] {
  const byPath = new Map<string, Route[]>()
  for (const resource of api.resources)
    for (const operation of resource.operations) {
      const path = resource.path + operation.path
      byPath.set(path, [...(byPath.get(path) ?? []), [api.of(resource.entity), operation]])
    }
  const parameters = (path: string) => path.split(':').length
  return [...byPath].sort(([a], [b]) => parameters(a) - parameters(b))
}

function mount(router: Router, path: string, operations: Route[], api: Api, authenticate: Authenticate): void {
  const methods = allowed(operations.map(([, { method }]) => method))
  const headers = announcements(operations, methods)
  const route = router.route(path)
  for (const [bound, operation] of operations)
    route[operation.method.toLowerCase() as 'get'](...steps(api, bound, operation, headers, authenticate))
  route.options((_, response) => {
    response.writeHead(204, headers).end()
  })
  route.all(() => {
    throw new Problem(405, `Only ${methods} can be asked of this path.`, { Allow: methods })
  })
}

function allowed(methods: string[]): string {
  return ['OPTIONS', ...(methods.includes('GET') ? ['HEAD'] : []), ...methods].join(', ')
}

/** What a path says of itself on every answer (RFC 9110 §10.2.1, RFC 5789, the LDP's Accept-Post). */
function announcements(operations: Route[], methods: string): Record<string, string> {
  const post = operations.find(([, { method }]) => method === 'POST')
  const patches = operations.some(
    ([{ resource }, { path }]) => path !== '' && resource.operations.some(({ method }) => method === 'PATCH'),
  )
  const singleton = operations.some(([, { method }]) => method === 'PATCH')
  return {
    Allow: methods,
    ...(post && { 'Accept-Post': (post[1].expects === 'file' ? ['multipart/form-data'] : inputTypes.POST).join(', ') }),
    ...((patches || singleton) && { 'Accept-Patch': inputTypes.PATCH.join(', ') }),
  }
}

function steps(
  api: Api,
  bound: Bound,
  operation: Operation,
  headers: Record<string, string>,
  authenticate: Authenticate,
): RequestHandler[] {
  const handle = handler(api, bound, operation, headers, authenticate)
  if (operation.method === 'GET') return [handle]
  const bytes = express.raw({ type: () => operation.expects !== 'file', limit: bodyLimit })
  return [admit(api, operation, bound, authenticate), bytes, handle]
}

/** Refuses who may not, and what cannot be read, before a byte of the body is taken in. */
function admit(api: Api, operation: Operation, bound: Bound, authenticate: Authenticate): RequestHandler {
  const types = operation.expects === 'file' ? ['multipart/form-data'] : inputTypes[operation.method]
  return async (request, response, next) => {
    response.locals.caller = await permitted(api, operation, await authenticate(request))
    negotiate(request)
    const given = request.headers['content-type']?.split(';')[0].trim().toLowerCase()
    const empty = request.headers['transfer-encoding'] === undefined && !Number(request.headers['content-length'] ?? 0)
    const optional = empty && !api.needsBody(operation, bound)
    if (operation.method !== 'DELETE' && !optional && !types.includes(given ?? '')) throw unsupported(given, types)
    next()
  }
}

function unsupported(given: string | undefined, types: string[]): Problem {
  const said = given
    ? `The Content-Type "${given.slice(0, 100)}" is not understood here.`
    : 'A Content-Type must be given.'
  return new Problem(415, `${said} Send one of: ${types.join(', ')}.`)
}

function handler(
  api: Api,
  bound: Bound,
  operation: Operation,
  headers: Record<string, string>,
  authenticate: Authenticate,
): RequestHandler {
  const fixed = Object.entries(headers)
  return async (request: Request, response: Response, _next: NextFunction) => {
    const caller = (response.locals.caller as Caller) ?? permitted(api, operation, await authenticate(request))
    negotiate(request)
    for (const [name, value] of fixed) response.setHeader(name, value)
    response.setHeader('Cache-Control', cacheControl(bound.resource))
    if (bound.resource.options.public) response.vary('Accept-Language')
    const [path, query] = split(request.url)
    const call = new Call(api, bound, operation, caller, {
      id: request.params.id as string | undefined,
      query: new URLSearchParams(query),
      header: (name) => request.headers[name] as string | undefined,
      bytes: Buffer.isBuffer(request.body) ? request.body : undefined,
    })
    await respond(call, await call.run(), path, response)
  }
}

function permitted(api: Api, operation: Operation, caller: Caller): Caller {
  if (api.allows(operation, caller)) return caller
  if (caller.role === 'anonymous')
    throw new Problem(401, 'This needs a bearer token: send it as "Authorization: Bearer …".', {
      'WWW-Authenticate': 'Bearer',
    })
  if (caller.role === 'guest' && caller.reason) throw new Problem(403, caller.reason)
  throw new Problem(
    403,
    `This is for the role ${(operation.may ?? tenantRoles).join(' or ')}; yours is ${caller.role}.`,
  )
}

const offered = ['application/ld+json', 'application/json']

function negotiate(request: Request): void {
  const { accept } = request.headers
  if (accept === undefined || accept === '*/*' || accept === 'application/ld+json') return
  if (!request.accepts(offered))
    throw new Problem(406, `Nothing here is of the type asked for. Accept one of: ${offered.join(', ')}.`)
}

function cacheControl({ options }: Resource): string {
  return options.public ? 'public, max-age=3600' : 'private, no-cache'
}

function split(url: string): [path: string, query: string] {
  const mark = url.indexOf('?')
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)]
}
