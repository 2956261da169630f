import type { Request, Response } from 'express'
import { readUpload } from '../input/multipart.ts'
import { readBytes } from '../input/read-bytes.ts'
import type { Operation } from '../model/operation.ts'
import { Problem } from '../model/problem.ts'
import type { BoundApi, BoundResource } from './bound-api.ts'
import { mediaTypeOf } from './headers/media-type.ts'

/** The media types of a merge patch; clients generated from OpenAPI send `application/json`. */
export const patchTypes = ['application/merge-patch+json', 'application/json', 'application/ld+json']

const postTypes = ['application/ld+json', 'application/json', 'text/turtle']

const maxKilobytes = 256

/** The limit of a body that is not a file. */
const bounds = {
  limit: maxKilobytes * 1024,
  tooLarge: () => new Problem(413, `The body is too large. The limit is ${maxKilobytes} kB.`),
}

/** A body as received; `file` is the operation's reading of an uploaded file. */
export interface ReceivedBody {
  bytes?: Buffer
  file?: object
}

/** Reads the body of a request for one operation. */
export type RequestReader = (request: Request, response: Response) => Promise<ReceivedBody>

/** The media types that an operation reads. */
export function inputTypes({ method, expects }: Operation): string[] {
  if (method === 'PATCH') return patchTypes
  return expects === 'file' ? ['multipart/form-data'] : postTypes
}

/** Builds the reader of an operation's body; undefined for a GET. It checks the Content-Type before the first byte is read. */
export function requestReader(api: BoundApi, bound: BoundResource, operation: Operation): RequestReader | undefined {
  if (operation.method === 'GET') return undefined
  const types = inputTypes(operation)
  const { file } = operation
  return async (request, response) => {
    const type = mediaTypeOf(request.headers)
    const empty = request.headers['transfer-encoding'] === undefined && !Number(request.headers['content-length'] ?? 0)
    const optional = operation.method === 'DELETE' || (empty && !api.needsBody(operation, bound.shape))
    if (!optional && !types.includes(type ?? '')) throw unsupported(type, types)
    if (file) {
      const bytes = await readUpload(request, response, file.limit)
      return { bytes, file: await file.read(bytes) }
    }
    return { bytes: empty ? undefined : await readBytes(request, response, bounds) }
  }
}

function unsupported(type: string | undefined, types: string[]): Problem {
  const reason = type ? `The Content-Type "${type.slice(0, 100)}" is not supported.` : 'A Content-Type must be given.'
  return new Problem(415, `${reason} Send one of: ${types.join(', ')}.`)
}
