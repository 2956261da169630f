import type { Request, Response } from 'express'
import { formFields } from '../../formats/form-fields.ts'
import { formNames } from '../../formats/form-names.ts'
import { bodyOfForm } from '../../input/form-body.ts'
import { readUpload } from '../../input/multipart.ts'
import type { Caller } from '../../model/caller.ts'
import type { Operation } from '../../model/operation.ts'
import type { Problem } from '../../model/problem.ts'
import { type AccessControl, authenticate, type SensitiveOperation } from '../authenticate.ts'
import { authorize } from '../authorize.ts'
import type { BoundApi, BoundResource } from '../bound-api.ts'
import { runCall } from '../idempotency/idempotency.ts'
import { ApiRequest } from '../request.ts'
import { RequestCall } from '../request-call.ts'
import { type SubmittedForm, setHeaders } from './form-request.ts'
import { finishForm, redraw } from './form-response.ts'

/** Serves forms of one operation. */
type FormEndpoint = (
  request: Request,
  response: Response,
  id: string | undefined,
  form: SubmittedForm,
  sensitive: SensitiveOperation | undefined,
) => Promise<void>

/** Lets the session of a form token act. @throws Problem where it may not run the operation */
type Admit = (token: string | null | undefined) => Promise<Caller>

/** A form as its operation reads it. */
interface Received {
  caller: Caller
  bytes?: Buffer
  file?: object
}

/** Serves forms for one operation: the very same operation as for a JSON body, answered for a person. */
export function formEndpoint(
  api: BoundApi,
  bound: BoundResource,
  operation: Operation,
  access: AccessControl,
): FormEndpoint {
  const receive = operation.file ? receiveUpload(operation.file) : receiveFields(api, bound, operation)
  const { publicUrl } = api.iris
  return async (request, response, id, form, sensitive) => {
    const callOf = (received: Received) =>
      new RequestCall(api, bound, operation, received.caller, new ApiRequest({ id, request, publicUrl, ...received }))
    let caller: Caller | undefined
    const admit: Admit = async (token) => {
      api.options.forms?.requireForm(request, token)
      const known = await authenticate(access, request, response, sensitive)
      authorize(api, operation, known)
      caller = known
      return known
    }
    try {
      if (form.fields.has(formNames.search)) {
        const known = await admit(form.fields.get(formNames.token))
        return await redraw(callOf({ caller: known }), response, form)
      }
      const call = callOf(await receive(request, response, form, admit))
      await finishForm(call, await runCall(call), response)
    } catch (error) {
      const problem = api.problemOf(error)
      // Drawing a form takes several queries, so only an admitted caller gets it again.
      if (!caller || !problem || !isCorrectable(problem)) throw error
      await redraw(callOf({ caller }), response, { fields: form.fields, problem })
    }
  }
}

type Receive = (request: Request, response: Response, form: SubmittedForm, admit: Admit) => Promise<Received>

function receiveFields(api: BoundApi, bound: BoundResource, operation: Operation): Receive {
  const { expects, method } = operation
  const shape = expects === 'self' ? bound.shape : expects && expects !== 'file' && api.shape(expects)
  return async (request, _response, form, admit) => {
    const caller = await admit(form.fields.get(formNames.token))
    setHeaders(request, form)
    if (!shape) return { caller }
    const body = bodyOfForm(formFields(api, shape, operation, caller.role), form.fields, method === 'PATCH')
    return { caller, bytes: Buffer.from(JSON.stringify(body)) }
  }
}

/** The form token stands before the file, so the server reads no file without a session. */
function receiveUpload({ limit, read }: NonNullable<Operation['file']>): Receive {
  return async (request, response, _form, admit) => {
    let caller: Caller | undefined
    const bytes = await readUpload(request, response, limit, async (sent) => {
      caller = await admit(sent.get(formNames.token))
    })
    return { caller: caller as Caller, file: await read(bytes) }
  }
}

/** Whether a person can send the form again with success: with other values, with the present state, or later. */
const isCorrectable = ({ status }: Problem) => [400, 409, 412, 413, 415, 422, 429, 503].includes(status)
