import { setTimeout as sleep } from 'node:timers/promises'
import Stripe from 'stripe'
import { ConstraintViolation, Problem } from '../../hydra/index.ts'
import { problemOfStripeError } from './stripe-errors.ts'
import { isComplete } from './stripe-object-checks.ts'

/** The properties of this API by the start of the name of Stripe's parameter, or by Stripe's error code. */
type Origins = Record<string, string>

const { errors } = Stripe

/**
 * Awaits a request for one object, and validates the response.
 * @throws Problem for every error, in the words of this API
 */
export async function requestStripe<T extends { object: string }>(
  kind: T['object'],
  request: Promise<T>,
  origins: Origins = {},
): Promise<T> {
  const answer = await request.catch((error: unknown) => {
    throw problemOf(error, origins)
  })
  if (answer?.object !== kind || !isWellFormed(answer)) throw badGateway()
  return answer
}

/** Awaits a request for a list. Malformed objects are left out; `skipped` is their number. */
export async function requestStripeList<T extends { id: string }>(
  request: Promise<Stripe.ApiList<T>>,
): Promise<{ data: T[]; has_more: boolean; skipped: number }> {
  const answer = await request.catch((error: unknown) => {
    throw problemOf(error, {})
  })
  if (answer?.object !== 'list' || !Array.isArray(answer.data)) throw badGateway()
  const data = answer.data.filter(isWellFormed)
  return { data, has_more: answer.has_more, skipped: answer.data.length - data.length }
}

/**
 * Sends a request with an idempotency key, so that a repeated request takes effect once. For a day Stripe replays the response
 * to a key, even a failure, although it may have created the object. After a replayed failure, `find` looks for that object
 * twice, because Stripe may list it late. If it is absent, the next key is tried, without retries of the client.
 * @param find finds the created object; without it the request must be safe to repeat
 */
export async function withIdempotencyKeys<T>(
  key: string,
  send: (options: Stripe.RequestOptions) => Promise<T>,
  find?: () => Promise<T | undefined>,
): Promise<T> {
  for (let tries = 1; ; tries++)
    try {
      return await send(
        tries === 1 ? { idempotencyKey: key } : { idempotencyKey: `${key}:${tries}`, maxNetworkRetries: 0 },
      )
    } catch (problem) {
      if (!isReplayedFailure(problem)) throw problem
      const created = find && ((await find()) ?? (await sleep(maxListDelayMs).then(find)))
      if (created) return created
    }
}

/** The time that Stripe may take to list an object after its creation. */
const maxListDelayMs = 1000

/** Whether Stripe failed earlier and now replays that failure. */
function isReplayedFailure(problem: unknown): boolean {
  const { cause } = problem as Problem
  if (!(cause instanceof errors.StripeError) || !cause.headers) return false
  return Number(cause.statusCode) >= 500 && cause.headers['idempotent-replayed'] === 'true'
}

/** An object that nests too deeply overflows the stack of the check, and is malformed too. */
function isWellFormed(answer: unknown): boolean {
  try {
    return isComplete(answer)
  } catch {
    return false
  }
}

const retryShortly = { 'Retry-After': '5' }

/** RFC 9110 §15.6.3: the response of the server behind this one is an error or malformed. */
function badGateway(cause?: unknown): Problem {
  const failed = Number((cause as { statusCode?: unknown } | undefined)?.statusCode) >= 500
  const what = failed ? 'Stripe failed.' : 'Stripe returned a malformed response.'
  const detail = `${what} Nothing has changed here. Try again later.`
  return Object.assign(new Problem(502, detail, { 'Retry-After': '60' }), { cause })
}

/** The status is 503 when Stripe is unreachable or busy, 402, 409 or 422 when it rejects the request, and 502 when it fails. */
function problemOf(error: unknown, origins: Origins): Problem {
  if (error instanceof Problem) return error
  if (error instanceof errors.StripeCardError) return declinedCard(error)
  if (error instanceof errors.StripeConnectionError || error instanceof errors.StripeRateLimitError)
    return Object.assign(new Problem(503, 'Stripe cannot be reached. Try again shortly.', retryShortly), {
      cause: error,
    })
  if (error instanceof errors.StripeError && (error.code === 'idempotency_key_in_use' || error.code === 'lock_timeout'))
    return new Problem(
      503,
      'Stripe is still processing an earlier request for this object. Try again shortly.',
      retryShortly,
    )
  const origin = error instanceof errors.StripeInvalidRequestError && originOf(error, origins)
  const rejection = origin ? new ConstraintViolation([origin]) : problemOfStripeError(error)
  return rejection ? Object.assign(rejection, { cause: error }) : badGateway(error)
}

function originOf({ param, message, code }: InstanceType<typeof errors.StripeInvalidRequestError>, origins: Origins) {
  const name = Object.keys(origins).find((start) => start === '' || param?.startsWith(start) || code === start)
  return name === undefined
    ? undefined
    : { propertyPath: origins[name], message: `Stripe rejects it: ${message}`, code: code ?? 'isAcceptable' }
}

/** The meaning of Stripe's decline codes for the card holder. For other codes banks give no reason. */
const reasons: Record<string, string> = {
  authentication_required: 'the bank requires the holder to confirm the payment',
  expired_card: 'the card has expired',
  fraudulent: 'the bank declines it; its holder can ask the bank why',
  incorrect_cvc: 'the security code is incorrect',
  incorrect_number: 'the card number is incorrect',
  insufficient_funds: 'the account has insufficient funds',
  lost_card: 'the bank declines it; its holder can ask the bank why',
  processing_error: 'the bank had an error; try again',
  stolen_card: 'the bank declines it; its holder can ask the bank why',
  card_velocity_exceeded: 'the card has reached its limit',
  currency_not_supported: 'the card does not support this currency',
}

/** Codes that reveal a suspicion of fraud: only the bank may tell its customer. */
const confidentialCodes = ['fraudulent', 'lost_card', 'stolen_card', 'pickup_card', 'restricted_card']

/** @param code Stripe's decline code, or its error code where there is none */
export function declinedPayment(code: string | null | undefined): Problem {
  const shown = !code || confidentialCodes.includes(code) ? 'generic_decline' : code
  const reason = reasons[code ?? ''] ?? 'the bank gives no reason; its holder can ask the bank'
  return new Problem(402, `The payment was declined (${shown}): ${reason}. Use another payment method.`)
}

function declinedCard({ decline_code, code }: InstanceType<typeof errors.StripeCardError>): Problem {
  return declinedPayment(decline_code ?? code)
}
