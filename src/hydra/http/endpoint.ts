import type { Request, Response } from 'express'
import { formatsOf, html, isJson } from '../formats/format.ts'
import type { Operation } from '../model/operation.ts'
import { type AccessControl, authenticate, type SensitiveOperation } from './authenticate.ts'
import { authorize } from './authorize.ts'
import type { BoundApi, BoundResource } from './bound-api.ts'
import { formEndpoint } from './forms/form-endpoint.ts'
import type { SubmittedForm } from './forms/form-request.ts'
import { deprecationHeaders } from './headers/deprecation-headers.ts'
import { negotiate } from './headers/negotiation.ts'
import { isStrict } from './headers/preferences.ts'
import { runCall } from './idempotency/idempotency.ts'
import { patchTypes, requestReader } from './read-request.ts'
import { ApiRequest } from './request.ts'
import { RequestCall } from './request-call.ts'
import { write } from './write-response.ts'

/** Serves one method of one path, whose suffix may name a format. */
export type Endpoint = (
  request: Request,
  response: Response,
  id: string | undefined,
  suffix: string | undefined,
  form?: SubmittedForm,
) => Promise<void>

/** The life of a request: authenticate, authorize, negotiate, read, run, write. */
export function endpoint(api: BoundApi, bound: BoundResource, operation: Operation, access: AccessControl): Endpoint {
  const offered = formatsOf(api, { tabular: operation.returns === 'collection' })
  const sensitive = sensitiveOperationOf(bound, operation)
  const appliesStrict = operation.method === 'GET' || (operation.expects && operation.expects !== 'file')
  const read = requestReader(api, bound, operation)
  const { publicUrl } = api.iris
  const caching = cacheControlOf(api, bound, operation)
  const setHeaders = headerSetter(bound, operation)
  const deprecation = operation.deprecated && deprecationHeaders(operation.deprecated)
  const forms = formEndpoint(api, bound, operation, access)
  return async (request, response, id, suffix, form) => {
    // Problems of the operation are compressed only where its documents are.
    response.setHeader('Cache-Control', caching)
    if (deprecation) for (const name in deprecation) response.appendHeader(name, deprecation[name])
    if (form) return forms(request, response, id, form, sensitive)
    const caller = await authenticate(access, request, response, sensitive)
    response.locals.caller = caller
    authorize(api, operation, caller)
    const format = negotiate(request.headers, offered, suffix)
    if (appliesStrict && isStrict(request.headers)) response.setHeader('Preference-Applied', 'handling=strict')
    const body = await read?.(request, response)
    setHeaders(response)
    const asked = new ApiRequest({
      id,
      suffix,
      request,
      caller,
      publicUrl,
      isJson: isJson(format),
      isHtml: format === html,
      bytes: body?.bytes,
      file: body?.file,
    })
    const call = new RequestCall(api, bound, operation, caller, asked)
    await write(call, await runCall(call), format, response)
  }
}

/** The limit of its own that an operation has on the rate of requests. */
function sensitiveOperationOf({ resource }: BoundResource, operation: Operation): SensitiveOperation | undefined {
  const { method, path, sensitive } = operation
  return sensitive && { name: `${method} ${resource.path}${path}`, window: sensitive }
}

/** Builds the function that sets the headers which every response of the operation has, once its request is read. */
function headerSetter(bound: BoundResource, operation: Operation): (response: Response) => void {
  const acceptPatch = acceptPatchOf(bound, operation)
  return (response) => {
    if (bound.resource.options.public) response.vary('Accept-Language')
    if (acceptPatch) response.setHeader('Accept-Patch', acceptPatch)
  }
}

/**
 * A tenant's data may stay only in its own client's cache, which revalidates every time; sensitive data and secrets in none.
 * A response that no cache may store is never compressed.
 */
function cacheControlOf(api: BoundApi, { resource }: BoundResource, { members, secrets }: Operation): string {
  if (resource.options.public) return 'public, max-age=3600'
  const { sensitive } = members ? api.of(members).resource.options : resource.options
  return sensitive || secrets ? 'private, no-store' : 'private, no-cache'
}

/** The response to a create names the PATCH types of the new item; its collection cannot be patched. */
function acceptPatchOf({ resource }: BoundResource, { name }: Operation): string | undefined {
  const patchable = name === 'create' && resource.operations.some(({ method }) => method === 'PATCH')
  return patchable ? patchTypes.join(', ') : undefined
}
