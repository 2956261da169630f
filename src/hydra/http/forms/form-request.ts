import type { Request, Response } from 'express'
import { formNames } from '../../formats/form-names.ts'
import { readBytes } from '../../input/read-bytes.ts'
import { Problem } from '../../model/problem.ts'
import { mediaTypeOf } from '../headers/media-type.ts'

const limit = 256 * 1024

/** The most fields of a form. */
const maxFields = 2000

/** A form that a page has sent: the method that it stands for, and its fields. */
export interface SubmittedForm {
  method: string
  fields: URLSearchParams
}

/** Reads the fields of a form that a page has sent. An upload is read later, by its operation. */
export async function receiveForm(request: Request, response: Response): Promise<SubmittedForm> {
  if (mediaTypeOf(request.headers) === 'multipart/form-data') return { method: 'POST', fields: new URLSearchParams() }
  const tooLarge = () => new Problem(413, `The form is too large. The limit is ${limit / 1024} kB.`)
  const fields = new URLSearchParams((await readBytes(request, response, { limit, tooLarge })).toString('utf8'))
  if (fields.size > maxFields) throw new Problem(400, `The form has ${fields.size} fields. The limit is ${maxFields}.`)
  const method = fields.get(formNames.method) ?? 'POST'
  if (!['POST', 'PATCH', 'DELETE'].includes(method))
    throw new Problem(400, `The form asks for "${method.slice(0, 20)}". It can ask for POST, PATCH or DELETE.`)
  return { method, fields }
}

/** Turns the hidden fields of a form into the headers that they stand for, as if a program had sent JSON. */
export function setHeaders({ headers }: Request, { method, fields }: SubmittedForm): void {
  const [etag, key] = [fields.get(formNames.etag), fields.get(formNames.key)]
  headers['content-type'] = 'application/json'
  if (etag) headers['if-match'] = etag
  if (key && method === 'POST') headers['idempotency-key'] = key
}
