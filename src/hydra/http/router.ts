import type { Request, RequestHandler, Response } from 'express'
import { splitSuffix } from '../formats/format.ts'
import type { Operation } from '../model/operation.ts'
import { Problem } from '../model/problem.ts'
import type { AccessControl } from './authenticate.ts'
import type { BoundApi, BoundResource } from './bound-api.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { inputTypes, patchTypes } from './read-request.ts'

type Route = [bound: BoundResource, operation: Operation]

/** One path of the table: what can be asked of it, and what it says of itself on every answer. */
interface Path {
  endpoints: Map<string, Endpoint>
  headers: [name: string, value: string][]
}

/** Every route of the table, found by its shape in a step or two however many there are. */
export function router(api: BoundApi, access: AccessControl): RequestHandler {
  const paths = new Map([...routes(api)].map(([pattern, operations]) => [pattern, pathOf(api, operations, access)]))
  return (request, response, next) => {
    const { url } = request
    const end = url.indexOf('?')
    const pathname = end < 0 ? url : url.slice(0, end)
    const [path, id] = match(paths, pathname)
    if (path && !id?.includes('.')) serve(path, id, undefined, request, response).catch(next)
    else suffixed(paths, pathname, request, response, next)
  }
}

/** A suffix names a format, and no other resource: behind this point it has never been in the URL. */
function suffixed(
  paths: Map<string, Path>,
  pathname: string,
  ...[request, response, next]: Parameters<RequestHandler>
) {
  const [bare, suffix] = splitSuffix(pathname)
  const [path, id] = match(paths, bare)
  if (!path) return next()
  request.url = bare + request.url.slice(pathname.length)
  serve(path, id, suffix, request, response).catch(next)
}

/** A path that stands for itself goes before one with an id in its second segment. */
function match(paths: Map<string, Path>, pathname: string): [path: Path | undefined, id?: string] {
  const exact = paths.get(pathname)
  if (exact) return [exact]
  const start = pathname.indexOf('/', 1) + 1
  if (start === 0) return [undefined]
  const slash = pathname.indexOf('/', start)
  const end = slash < 0 ? pathname.length : slash
  return [paths.get(`${pathname.slice(0, start)}:id${pathname.slice(end)}`), pathname.slice(start, end)]
}

async function serve(
  { endpoints, headers }: Path,
  id: string | undefined,
  suffix: string | undefined,
  request: Request,
  response: Response,
): Promise<void> {
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const found = endpoints.get(method)
  for (const [name, value] of headers) response.setHeader(name, value)
  if (found) return found(request, response, id === undefined ? undefined : decode(id), suffix)
  if (method === 'OPTIONS') {
    response.writeHead(204).end()
    return
  }
  throw new Problem(405, `Only ${response.getHeader('Allow')} can be asked of this path.`)
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new Problem(400, 'The path is not encoded as a URL must be (RFC 3986 §2.1).')
  }
}

function routes(api: BoundApi): Map<string, Route[]> {
  const byPath = new Map<string, Route[]>()
  for (const resource of api.resources)
    for (const operation of resource.operations) {
      const path = resource.path + operation.path
      byPath.set(path, [...(byPath.get(path) ?? []), [api.of(resource.entity), operation]])
    }
  return byPath
}

function pathOf(api: BoundApi, operations: Route[], access: AccessControl): Path {
  return {
    endpoints: new Map(
      operations.map(([bound, operation]) => [operation.method, endpoint(api, bound, operation, access)]),
    ),
    headers: Object.entries(announcements(operations)),
  }
}

/** RFC 9110 §10.2.1, RFC 5789 §3.1, Linked Data Platform §7.1. */
function announcements(operations: Route[]): Record<string, string> {
  const methods = operations.map(([, { method }]) => method as string)
  const post = operations.find(([, { method }]) => method === 'POST')
  const patched = operations.some(
    ([{ resource }, { method, path }]) =>
      method === 'PATCH' || (path !== '' && resource.operations.some((other) => other.method === 'PATCH')),
  )
  return {
    Allow: ['OPTIONS', ...(methods.includes('GET') ? ['HEAD'] : []), ...methods].join(', '),
    ...(post && { 'Accept-Post': inputTypes(post[1]).join(', ') }),
    ...(patched && { 'Accept-Patch': patchTypes.join(', ') }),
  }
}
