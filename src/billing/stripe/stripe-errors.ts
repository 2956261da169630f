import Stripe from 'stripe'
import { Problem } from '../../hydra/index.ts'

const { errors } = Stripe
type StripeError = InstanceType<typeof errors.StripeError>

/** The errors of requests that will not succeed when they are repeated. */
const permanentErrors = [
  errors.StripeInvalidRequestError,
  errors.StripeAuthenticationError,
  errors.StripePermissionError,
  errors.StripeIdempotencyError,
]

interface Rule {
  applies(error: StripeError): boolean
  detail(error: StripeError): string
}

/** Stripe has codes for few of its errors. The others are recognized by a word of their message. */
const rules: Rule[] = [
  {
    applies: ({ code }) => code === 'api_key_expired',
    detail: () => 'The Stripe key of this server has expired. The operator must set a new STRIPE_SECRET_KEY.',
  },
  {
    applies: (error) => error instanceof errors.StripeAuthenticationError,
    detail: () => 'Stripe rejects the key of this server. The operator must set another STRIPE_SECRET_KEY.',
  },
  {
    applies: (error) => error instanceof errors.StripePermissionError,
    detail: () => 'The Stripe key of this server lacks a permission. The operator must add it at Stripe.',
  },
  {
    applies: (error) => error instanceof errors.StripeIdempotencyError,
    detail: () => 'Stripe received another request with the same key. Send this request with a new Idempotency-Key.',
  },
  {
    applies: ({ code, message }) => code === 'livemode_mismatch' || /similar object exists in \w+ mode/.test(message),
    detail: () =>
      'The object exists in the other mode of Stripe, live or test. The operator must set the keys of that mode.',
  },
  {
    applies: ({ code }) => code === 'customer_tax_location_invalid' || code === 'invalid_tax_location',
    detail: () => 'Stripe cannot determine the tax for the billing address. Correct its country, city and postal code.',
  },
  {
    applies: ({ message }) => /subscription schedule/i.test(message),
    detail: () =>
      'A schedule at Stripe manages the subscription, so it cannot be changed here. The operator must release it first.',
  },
  {
    applies: ({ message }) => /currenc(y|ies)/i.test(message),
    detail: (error) => `Stripe bills a customer in one currency, so it rejects the request: ${reasonOf(error)}`,
  },
]

/**
 * The problem of a permanent error, with its remedy; undefined for a failure of Stripe itself.
 * The status is 409: the request conflicts with the state at Stripe (RFC 9110 §15.5.10).
 */
export function problemOfStripeError(error: unknown): Problem | undefined {
  if (!permanentErrors.some((kind) => error instanceof kind)) return undefined
  const stripeError = error as StripeError
  const rule = rules.find(({ applies }) => applies(stripeError))
  return new Problem(409, rule?.detail(stripeError) ?? `Stripe rejects the request: ${reasonOf(stripeError)}`)
}

/** Whether Stripe does not know the object with this id. An error that does not name the id may be about another object. */
export function isMissing(problem: unknown, noun: 'customer' | 'subscription', id: string): boolean {
  const { cause } = problem as Problem
  return (
    cause instanceof errors.StripeInvalidRequestError &&
    cause.code === 'resource_missing' &&
    cause.message === `No such ${noun}: '${id}'`
  )
}

/** The message of Stripe, which is written for API users; at most 300 characters. */
function reasonOf({ message }: StripeError): string {
  return message ? `${message.slice(0, 300)}` : 'It gives no reason.'
}
