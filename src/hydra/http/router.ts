import type { Request, RequestHandler, Response } from 'express'
import { splitSuffix } from '../formats/format.ts'
import type { Operation } from '../model/operation.ts'
import { Problem } from '../model/problem.ts'
import type { AccessControl } from './authenticate.ts'
import type { BoundApi, BoundResource } from './bound-api.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { receiveForm } from './forms/form-request.ts'
import { inputTypes, patchTypes } from './read-request.ts'

type Route = [bound: BoundResource, operation: Operation]

/** One path of the table: its template, its endpoints by method, and the headers of all its responses. */
interface Path {
  template: string
  endpoints: Map<string, Endpoint>
  headers: [name: string, value: string][]
}

/** Routes every path of the table; one or two map look-ups find a path, however many there are. */
export function router(api: BoundApi, access: AccessControl): RequestHandler {
  const paths = new Map(
    [...routes(api)].map(([pattern, operations]) => [pattern, pathOf(api, pattern, operations, access)]),
  )
  return (request, response, next) => {
    const { url } = request
    const queryStart = url.indexOf('?')
    const pathname = queryStart < 0 ? url : url.slice(0, queryStart)
    const [path, id] = find(paths, pathname)
    if (path && !id?.includes('.')) serve(api, path, id, undefined, request, response).catch(next)
    else suffixed(api, paths, pathname, request, response, next)
  }
}

/** Routes a path whose suffix names a format; the suffix is cut from the URL, so later code never sees it. */
function suffixed(
  api: BoundApi,
  paths: Map<string, Path>,
  pathname: string,
  ...[request, response, next]: Parameters<RequestHandler>
) {
  const [bare, suffix] = splitSuffix(pathname)
  const [path, id] = find(paths, bare)
  if (!path) return next()
  request.url = bare + request.url.slice(pathname.length)
  serve(api, path, id, suffix, request, response).catch(next)
}

/** A literal path wins over a path with an id in its second segment. */
function find(paths: Map<string, Path>, pathname: string): [path: Path | undefined, id?: string] {
  const exact = paths.get(pathname)
  if (exact) return [exact]
  const start = pathname.indexOf('/', 1) + 1
  if (start === 0) return [undefined]
  const slash = pathname.indexOf('/', start)
  const end = slash < 0 ? pathname.length : slash
  return [paths.get(`${pathname.slice(0, start)}:id${pathname.slice(end)}`), pathname.slice(start, end)]
}

async function serve(
  api: BoundApi,
  { template, endpoints, headers }: Path,
  id: string | undefined,
  suffix: string | undefined,
  request: Request,
  response: Response,
): Promise<void> {
  response.locals.route = template
  for (const [name, value] of headers) response.setHeader(name, value)
  const form = api.options.forms?.isForm(request) ? await receiveForm(request, response) : undefined
  const method = form?.method ?? (request.method === 'HEAD' ? 'GET' : request.method)
  const endpoint = endpoints.get(method)
  if (endpoint) return endpoint(request, response, id === undefined ? undefined : decode(id), suffix, form)
  if (method === 'OPTIONS') {
    response.writeHead(204).end()
    return
  }
  throw new Problem(405, `This path allows only ${response.getHeader('Allow')}.`)
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new Problem(400, 'The path is not percent-encoded correctly (RFC 3986 §2.1).')
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

function pathOf(api: BoundApi, pattern: string, operations: Route[], access: AccessControl): Path {
  return {
    template: pattern.replace(':id', '{id}'),
    endpoints: new Map(
      operations.map(([bound, operation]) => [operation.method, endpoint(api, bound, operation, access)]),
    ),
    headers: Object.entries(methodHeaders(operations)),
  }
}

/** Allow (RFC 9110 §10.2.1), Accept-Patch (RFC 5789 §3.1) and Accept-Post (Linked Data Platform §7.1). */
function methodHeaders(operations: Route[]): Record<string, string> {
  const methods = operations.map(([, { method }]) => method as string)
  const post = operations.find(([, { method }]) => method === 'POST')
  const patchable = operations.some(
    ([{ resource }, { method, path }]) =>
      method === 'PATCH' || (path !== '' && resource.operations.some((other) => other.method === 'PATCH')),
  )
  return {
    Allow: ['OPTIONS', ...(methods.includes('GET') ? ['HEAD'] : []), ...methods].join(', '),
    ...(post && { 'Accept-Post': inputTypes(post[1]).join(', ') }),
    ...(patchable && { 'Accept-Patch': patchTypes.join(', ') }),
  }
}
