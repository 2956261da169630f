import { setTimeout as sleep } from 'node:timers/promises'
import Stripe from 'stripe'
import { ConstraintViolation, Problem } from '../../hydra/index.ts'
import { problemOfStripeError } from './stripe-errors.ts'
import { isComplete } from './stripe-object-checks.ts'

/** Which property of the client's Stripe means, by the start of its parameter's name or by the code of its error. */
type Origins = Record<string, string>

const { errors } = Stripe

/** Asks Stripe for one object, and says in this API's words what went wrong. */
export async function requestStripe<T extends { object: string }>(
  kind: T['object'],
  request: Promise<T>,
  origins: Origins = {},
): Promise<T> {
  const answer = await request.catch((error: unknown) => {
    throw problemOf(error, origins)
  })
  if (answer?.object !== kind || !isSound(answer)) throw nonsense()
  return answer
}

/** Asks Stripe for a list, and leaves out what cannot be read of it; `left` tells how much. */
export async function requestStripeList<T extends { id: string }>(
  request: Promise<Stripe.ApiList<T>>,
): Promise<{ data: T[]; has_more: boolean; skipped: number }> {
  const answer = await request.catch((error: unknown) => {
    throw problemOf(error, {})
  })
  if (answer?.object !== 'list' || !Array.isArray(answer.data)) throw nonsense()
  const data = answer.data.filter(isSound)
  return { data, has_more: answer.has_more, skipped: answer.data.length - data.length }
}

/**
 * Asks under a key, so that what is asked twice is done once. A failure of its own, too, is what Stripe answers to a key for a
 * day, whatever it has done by then: where it is told again, what is there is looked for twice, as a list may be late, and the next key is tried. Under
 * that nothing is tried again by itself, as it would only be told the same.
 * @param look finds what was made; without it, the request may be repeated without harm
 */
export async function withIdempotencyKeys<T>(
  key: string,
  send: (options: Stripe.RequestOptions) => Promise<T>,
  look?: () => Promise<T | undefined>,
): Promise<T> {
  for (let tries = 1; ; tries++)
    try {
      return await send(
        tries === 1 ? { idempotencyKey: key } : { idempotencyKey: `${key}:${tries}`, maxNetworkRetries: 0 },
      )
    } catch (problem) {
      if (!isKept(problem)) throw problem
      const made = look && ((await look()) ?? (await sleep(lag).then(look)))
      if (made) return made
    }
}

/** How many milliseconds Stripe may take to list what it has made. */
const lag = 1000

/** Whether it is a failure of Stripe's own that was told before. */
function isKept(problem: unknown): boolean {
  const { cause } = problem as Problem
  if (!(cause instanceof errors.StripeError) || !cause.headers) return false
  return Number(cause.statusCode) >= 500 && cause.headers['idempotent-replayed'] === 'true'
}

/** What nests too deeply to be looked through is not sound either. */
function isSound(answer: unknown): boolean {
  try {
    return isComplete(answer)
  } catch {
    return false
  }
}

const later = { 'Retry-After': '5' }

/** RFC 9110 §15.6.3: Stripe failed, or answered what no client can use. */
function nonsense(cause?: unknown): Problem {
  const failed = Number((cause as { statusCode?: unknown } | undefined)?.statusCode) >= 500
  const what = failed ? 'Stripe failed.' : 'Stripe gave an answer that makes no sense.'
  const detail = `${what} Nothing was changed here; try again later.`
  return Object.assign(new Problem(502, detail, { 'Retry-After': '60' }), { cause })
}

/** What to tell the client: 503 when Stripe cannot be had, 402, 409 or 422 when it refuses, 502 when it fails. */
function problemOf(error: unknown, origins: Origins): Problem {
  if (error instanceof Problem) return error
  if (error instanceof errors.StripeCardError) return declined(error)
  if (error instanceof errors.StripeConnectionError || error instanceof errors.StripeRateLimitError)
    return Object.assign(new Problem(503, 'Stripe cannot be reached at the moment. Try again shortly.', later), {
      cause: error,
    })
  if (error instanceof errors.StripeError && (error.code === 'idempotency_key_in_use' || error.code === 'lock_timeout'))
    return new Problem(503, 'Stripe is still busy with this. Try again shortly.', later)
  const origin = error instanceof errors.StripeInvalidRequestError && originOf(error, origins)
  const refused = origin ? new ConstraintViolation([origin]) : problemOfStripeError(error)
  return refused ? Object.assign(refused, { cause: error }) : nonsense(error)
}

function originOf({ param, message, code }: InstanceType<typeof errors.StripeInvalidRequestError>, origins: Origins) {
  const name = Object.keys(origins).find((start) => start === '' || param?.startsWith(start) || code === start)
  return name === undefined
    ? undefined
    : { propertyPath: origins[name], message: `Stripe does not take it: ${message}`, code: code ?? 'isAcceptable' }
}

/** What a bank's refusal means to whoever holds the card; what is not said here, banks do not say either. */
const reasons: Record<string, string> = {
  authentication_required: 'the bank wants the payment to be confirmed by its holder',
  expired_card: 'the card has expired',
  fraudulent: 'the bank refuses it; its holder can ask the bank why',
  incorrect_cvc: 'the security code is not right',
  incorrect_number: 'the card number is not right',
  insufficient_funds: 'there is not enough money on the account',
  lost_card: 'the bank refuses it; its holder can ask the bank why',
  processing_error: 'something went wrong at the bank; try again',
  stolen_card: 'the bank refuses it; its holder can ask the bank why',
  card_velocity_exceeded: 'the limit of the card is reached',
  currency_not_supported: 'the card does not take this currency',
}

/** What a bank says of fraud is for no one's eyes but its own customer's. */
const discreet = ['fraudulent', 'lost_card', 'stolen_card', 'pickup_card', 'restricted_card']

/** @param code Stripe's decline code, or its error code where there is none */
export function declinedPayment(code: string | null | undefined): Problem {
  const shown = !code || discreet.includes(code) ? 'generic_decline' : code
  const reason = reasons[code ?? ''] ?? 'the bank gives no reason; its holder can ask the bank'
  return new Problem(402, `The payment was declined (${shown}): ${reason}. Another payment method may do.`)
}

function declined({ decline_code, code }: InstanceType<typeof errors.StripeCardError>): Problem {
  return declinedPayment(decline_code ?? code)
}
