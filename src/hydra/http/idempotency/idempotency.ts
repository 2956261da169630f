import { createHash, hash } from 'node:crypto'
import { v7 as uuid } from 'uuid'
import type { AnsweredAs } from '../../model/caller.ts'
import { ConstraintViolation, Problem } from '../../model/problem.ts'
import { problemOf } from '../../store/database-problem.ts'
import type { RequestCall } from '../request-call.ts'
import type { ApiResponse } from '../response.ts'
import { handle, run } from '../run-operation.ts'
import type { IdempotencyClaim } from './idempotency-store.ts'
import * as claims from './idempotency-store.ts'
import { runExclusive } from './keyed-queue.ts'

/** How long a repetition waits for the first request; the same as Postgres' lock timeout. */
const maxWaitMs = 2000

/** A response as stored. With a `detail` it is a Problem; 402 is the only stored one. */
type StoredResponse = ApiResponse & {
  detail?: string
  /** Absent from responses that an earlier release stored; they expire after a day. */
  right?: AnsweredAs
}

/** Runs an operation, and a POST with an Idempotency-Key once. */
export function runCall(call: RequestCall): Promise<ApiResponse> {
  const key = call.operation.method === 'POST' ? call.request.header('idempotency-key') : undefined
  return key === undefined ? run(call) : runOnce(call, key)
}

/** Runs a POST with an Idempotency-Key once; every repetition gets the stored response. */
async function runOnce(call: RequestCall, key: string): Promise<ApiResponse> {
  const claim = claimOf(call, key)
  if (call.operation.callsExternalService) return runResumable(call, claim)
  return runExclusive(`${claim.caller} ${key}`, maxWaitMs, () => runInTransaction(call, claim), stillRunning)
}

/** Claim, effect and response are one transaction, so none of them is ever stored without the others. */
function runInTransaction(call: RequestCall, claim: IdempotencyClaim): Promise<ApiResponse> {
  const { caller } = call
  return call.unitOfWork.run(async () => {
    const { stored, replayed } = await call.unitOfWork.transaction(async () => {
      call.caller = caller
      if (!(await takeClaim(call, claim)))
        return { stored: (await findResponse(call, claim)) ?? stillRunning(), replayed: true }
      await call.manager.query('SAVEPOINT "effect"')
      const stored = await attempt(call, () => call.manager.query('ROLLBACK TO SAVEPOINT "effect"'))
      await storeResponse(call, claim, stored)
      return { stored, replayed: false }
    })
    return toResponse(stored, replayed)
  })
}

/**
 * For a handler that calls an external service: the claim is committed before the handler runs, the response after it.
 * After a crash in between, a repetition resumes under the same claim; the handler must accept work that is half done.
 */
async function runResumable(call: RequestCall, claim: IdempotencyClaim): Promise<ApiResponse> {
  let id = await takeClaim(call, claim)
  const first = id !== undefined
  if (!id) {
    const stored = await findResponse(call, claim)
    if (stored) return toResponse(await withSecrets(call, stored), true)
    id = (await claims.resume(call.unitOfWork.executor, claim)).rows[0]?.claim
  }
  const held = { ...claim, claim: id ?? stillRunning(claims.claimTimeoutSeconds) }
  call.request.claim = held.claim
  try {
    const stored = await call.unitOfWork.run(() => attempt(call))
    // A 202 is not final: a repetition runs the handler again under the same claim.
    await (stored.status === 202 ? claims.release(call.unitOfWork.executor, held) : storeResponse(call, held, stored))
    return toResponse(stored, false)
  } catch (error) {
    const { status } = (error instanceof Problem ? error : problemOf(call.api, error)) ?? { status: 500 }
    // A refused repetition says nothing about an earlier attempt of unknown outcome: its claim stays to find that attempt.
    const settled = first && status < 500
    if (status !== 402) await (settled ? claims.remove : claims.release)(call.unitOfWork.executor, held).catch(() => {})
    throw error
  }
}

/** The caller is identified by the token alone: a caller without a user may have one at the repetition. */
function claimOf({ caller, operation, request: { request, bytes } }: RequestCall, key: string): IdempotencyClaim {
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw new Problem(400, 'The Idempotency-Key must be 1 to 255 visible ASCII characters.')
  if (!caller.bearer) throw new Problem(400, 'An Idempotency-Key needs a bearer token: send one, or leave the key out.')
  const { issuer, subject, tenant = null } = caller.bearer
  const fingerprint = createHash('sha256')
    .update(`${operation.method} ${request.url}\n`)
    .update(bytes ?? '')
  return {
    caller: hash('sha256', JSON.stringify([issuer, subject, tenant]), 'base64url'),
    key,
    claim: uuid(),
    fingerprint: fingerprint.digest('base64url'),
    tenant: caller.tenant,
  }
}

/** Inserts the claim; undefined when the key is taken, Problem 409 while its transaction runs longer than the lock timeout. */
async function takeClaim(call: RequestCall, claim: IdempotencyClaim): Promise<string | undefined> {
  try {
    return (await claims.insert(call.unitOfWork.executor, claim)).rows[0]?.claim
  } catch (error) {
    if ((error as { code?: string }).code === '55P03') stillRunning()
    throw error
  }
}

/** The stored response to the same request; undefined while it runs, a violation when the key belongs to another request. */
async function findResponse(call: RequestCall, claim: IdempotencyClaim): Promise<StoredResponse | undefined> {
  const [found] = (await claims.find(call.unitOfWork.executor, claim)).rows
  const same = found === undefined || found.fingerprint === claim.fingerprint
  // The operation may have taken the caller's tenant away.
  const tenant = found?.answer?.right?.tenant === null ? null : found?.tenant
  if (!same || (tenant && tenant !== claim.tenant))
    throw new ConstraintViolation([
      {
        propertyPath: 'Idempotency-Key',
        message: 'This key was used for another request: send a new key.',
        code: 'isSame',
      },
    ])
  if (found) call.request.claim = found.claim
  if (found?.answer) await requireRight(call, found.answer)
  return found?.answer ?? undefined
}

/** A stored response belongs to the role that it was given to; a caller who has lost that role does not get it again. */
async function requireRight(
  { api, unitOfWork: { executor }, caller }: RequestCall,
  { right }: StoredResponse,
): Promise<void> {
  const { holds } = api.options
  if (!right || !holds || (await holds(executor, caller, right))) return
  throw new Problem(
    403,
    'The request was completed under a role that you no longer have, so the response is not repeated.',
  )
}

function stillRunning(seconds = 1): never {
  throw new Problem(409, 'The request with this Idempotency-Key is still running: repeat it in a moment.', {
    'Retry-After': `${seconds}`,
  })
}

/** A refused payment (402) is stored like a success, but everything the handler wrote before it is rolled back. */
async function attempt(call: RequestCall, rollBack?: () => Promise<unknown>): Promise<StoredResponse> {
  try {
    return await handle(call)
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 402) throw error
    await rollBack?.()
    return { status: error.status, headers: error.headers, detail: error.message }
  }
}

/** Stores a response without its secrets. */
async function storeResponse(call: RequestCall, claim: IdempotencyClaim, response: StoredResponse): Promise<void> {
  const withoutSecrets = Object.fromEntries((call.operation.secrets?.names ?? []).map((name) => [name, null]))
  const document = response.document && { ...response.document, ...withoutSecrets }
  const { role, tenant } = call.caller
  const right = call.request.answeredAs ?? { role, tenant }
  const answer = JSON.stringify({ ...response, outcome: undefined, document, right })
  await claims.complete(call.unitOfWork.executor, { ...claim, answer })
}

async function withSecrets(call: RequestCall, stored: StoredResponse): Promise<StoredResponse> {
  const { secrets } = call.operation
  if (!stored.document || !secrets?.renew) return stored
  return { ...stored, document: { ...stored.document, ...(await secrets.renew(call, stored.document)) } }
}

function toResponse({ detail, right: _, ...response }: StoredResponse, replayed: boolean): ApiResponse {
  const headers = { ...response.headers, ...(replayed && { 'Idempotent-Replayed': 'true' }) }
  if (detail !== undefined) throw new Problem(response.status, detail, headers)
  return { ...response, headers }
}
