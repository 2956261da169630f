import { createHash, hash } from 'node:crypto'
import { v7 as uuid } from 'uuid'
import type { AnsweredAs } from '../model/caller.ts'
import { ConstraintViolation, Problem } from '../model/problem.ts'
import { problemOf } from '../store/database-problem.ts'
import type { IdempotencyClaim } from './idempotency-store.ts'
import * as claims from './idempotency-store.ts'
import { runExclusive } from './keyed-queue.ts'
import type { Call } from './request-call.ts'
import { type ApiResponse, compose } from './respond.ts'

/** How many milliseconds a repetition waits for the first, as Postgres would have it wait for a lock. */
const longestWait = 2000

/** What is kept of an answer; with a detail it is a Problem, and only a 402 is kept of those. */
type Kept = ApiResponse & {
  detail?: string
  /** Absent from answers that were kept by earlier releases, which are a day old at most. */
  right?: AnsweredAs
}

/** Answers a request; a POST with an Idempotency-Key only once, and whenever it is repeated with the same again. */
export async function answer(call: Call): Promise<ApiResponse> {
  const key = call.operation.method === 'POST' ? call.request.header('idempotency-key') : undefined
  if (key === undefined) return call.run(() => handle(call))
  const claim = claimOf(call, key)
  if (call.operation.callsExternalService) return answerAround(call, claim)
  return runExclusive(`${claim.caller} ${key}`, longestWait, () => answerWithin(call, claim), running)
}

/** Claim, effect and answer are one transaction, so that none of them is ever there without the others. */
function answerWithin(call: Call, claim: IdempotencyClaim): Promise<ApiResponse> {
  const { caller } = call
  return call.run(async () => {
    const { kept, replayed } = await call.transaction(async () => {
      call.caller = caller
      if (!(await take(call, claim))) return { kept: (await known(call, claim)) ?? running(), replayed: true }
      await call.manager.query('SAVEPOINT "effect"')
      const kept = await attempt(call, () => call.manager.query('ROLLBACK TO SAVEPOINT "effect"'))
      await keep(call, claim, kept)
      return { kept, replayed: false }
    })
    return deliver(kept, replayed)
  })
}

/**
 * The claim is committed before the operation calls the outside, and the answer after it. Who died in between is
 * resumed under the same claim, so such a handler must take up what it finds half done.
 */
async function answerAround(call: Call, claim: IdempotencyClaim): Promise<ApiResponse> {
  let id = await take(call, claim)
  const first = id !== undefined
  if (!id) {
    const kept = await known(call, claim)
    if (kept) return deliver(await revealed(call, kept), true)
    id = (await claims.resume(call.executor, claim)).rows[0]?.claim
  }
  const held = { ...claim, claim: id ?? running(claims.claimTimeoutSeconds) }
  call.claim = held.claim
  try {
    const kept = await call.run(() => attempt(call))
    // Not done yet is no answer to keep: repeated, the request looks again, under the same claim.
    await (kept.status === 202 ? claims.release(call.executor, held) : keep(call, held, kept))
    return deliver(kept, false)
  } catch (error) {
    const { status } = (error instanceof Problem ? error : problemOf(call.api, error)) ?? { status: 500 }
    // A refusal says nothing of an earlier try whose outcome is unknown: the claim stays what that try is found by.
    const settled = first && status < 500
    if (status !== 402) await (settled ? claims.free : claims.release)(call.executor, held).catch(() => {})
    throw error
  }
}

/** Tells who sends it apart by the token alone, as somebody without a user may have one the next time. */
function claimOf({ caller, operation, request: { request, bytes } }: Call, key: string): IdempotencyClaim {
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw new Problem(400, 'The Idempotency-Key must be 1 to 255 visible ASCII characters.')
  if (!caller.bearer) throw new Problem(400, 'An Idempotency-Key needs a bearer token: send one, or leave the key out.')
  const { issuer, subject, organization = null } = caller.bearer
  const fingerprint = createHash('sha256')
    .update(`${operation.method} ${request.url}\n`)
    .update(bytes ?? '')
  return {
    caller: hash('sha256', JSON.stringify([issuer, subject, organization]), 'base64url'),
    key,
    claim: uuid(),
    fingerprint: fingerprint.digest('base64url'),
    tenant: caller.organization,
  }
}

async function take(call: Call, claim: IdempotencyClaim): Promise<string | undefined> {
  try {
    return (await claims.take(call.executor, claim)).rows[0]?.claim
  } catch (error) {
    if ((error as { code?: string }).code === '55P03') running()
    throw error
  }
}

/** What the same request was answered; undefined while it is not, Problem 422 when it was another request. */
async function known(call: Call, claim: IdempotencyClaim): Promise<Kept | undefined> {
  const [found] = (await claims.find(call.executor, claim)).rows
  const same = found === undefined || found.fingerprint === claim.fingerprint
  if (!same || (found?.tenant && found.tenant !== claim.tenant))
    throw new ConstraintViolation([
      {
        propertyPath: 'Idempotency-Key',
        message: 'This key was used for another request: send a new key.',
        code: 'isSame',
      },
    ])
  if (found) call.claim = found.claim
  if (found?.answer) await requireRight(call, found.answer)
  return found?.answer ?? undefined
}

/** A kept answer is for the role that it was given to: one who has lost that role since does not read it again. */
async function requireRight({ api, executor, caller }: Call, { right }: Kept): Promise<void> {
  const { holds } = api.settings
  if (!right || !holds || (await holds(executor, caller, right))) return
  throw new Problem(
    403,
    'It was done and answered while you had another role. You have lost that role, so the answer is not repeated.',
  )
}

function running(seconds = 1): never {
  throw new Problem(409, 'The request with this Idempotency-Key is still being worked on: repeat it in a moment.', {
    'Retry-After': `${seconds}`,
  })
}

async function handle(call: Call): Promise<ApiResponse> {
  return compose(call, await call.operation.handle(call))
}

/** A payment that is refused is an answer too: it is kept, though whatever was written on the way to it is not. */
async function attempt(call: Call, undo?: () => Promise<unknown>): Promise<Kept> {
  try {
    return await handle(call)
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 402) throw error
    await undo?.()
    return { status: error.status, headers: error.headers, detail: error.message }
  }
}

async function keep(call: Call, claim: IdempotencyClaim, kept: Kept): Promise<void> {
  const veil = Object.fromEntries((call.operation.secrets?.names ?? []).map((name) => [name, null]))
  const document = kept.document && { ...kept.document, ...veil }
  await claims.answer(call.executor, { ...claim, answer: JSON.stringify({ ...kept, document, right: call.right }) })
}

async function revealed(call: Call, kept: Kept): Promise<Kept> {
  const { secrets } = call.operation
  if (!kept.document || !secrets) return kept
  return { ...kept, document: { ...kept.document, ...(await secrets.renew(call, kept.document)) } }
}

function deliver({ detail, right: _, ...answer }: Kept, replayed: boolean): ApiResponse {
  const headers = { ...answer.headers, ...(replayed && { 'Idempotent-Replayed': 'true' }) }
  if (detail !== undefined) throw new Problem(answer.status, detail, headers)
  return { ...answer, headers }
}
