import Stripe from 'stripe'
import { Problem } from '../../hydra/index.ts'

const { errors } = Stripe
type StripeError = InstanceType<typeof errors.StripeError>

/** The classes of errors with which Stripe says that the same request will never succeed as things are. */
const final = [
  errors.StripeInvalidRequestError,
  errors.StripeAuthenticationError,
  errors.StripePermissionError,
  errors.StripeIdempotencyError,
]

interface Rule {
  applies(error: StripeError): boolean
  detail(error: StripeError): string
}

/** Stripe has codes for few of its refusals. The others are known by their sentences, in which one word is enough. */
const rules: Rule[] = [
  {
    applies: ({ code }) => code === 'api_key_expired',
    detail: () => 'The key of this server for Stripe has expired: the operator has to set a new STRIPE_SECRET_KEY.',
  },
  {
    applies: (error) => error instanceof errors.StripeAuthenticationError,
    detail: () => 'Stripe does not accept the key of this server: the operator has to set another STRIPE_SECRET_KEY.',
  },
  {
    applies: (error) => error instanceof errors.StripePermissionError,
    detail: () => 'Stripe does not give this server the permission for this: the operator has to extend it at Stripe.',
  },
  {
    applies: (error) => error instanceof errors.StripeIdempotencyError,
    detail: () =>
      'Stripe was asked for something else under the same key. Send the request with a new Idempotency-Key.',
  },
  {
    applies: ({ code, message }) => code === 'livemode_mismatch' || /similar object exists in \w+ mode/.test(message),
    detail: () => 'Stripe has this in its other mode, live or test: the operator has to set the keys of that mode.',
  },
  {
    applies: ({ code }) => code === 'customer_tax_location_invalid' || code === 'invalid_tax_location',
    detail: () =>
      'Stripe cannot work out the tax for the billing address: correct its country, city and postal code, then try again.',
  },
  {
    applies: ({ message }) => /subscription schedule/i.test(message),
    detail: () =>
      'A schedule at Stripe manages the subscription, so it cannot be changed here: the operator has to release it first.',
  },
  {
    applies: ({ message }) => /currenc(y|ies)/i.test(message),
    detail: (error) => `Stripe bills a customer in one currency. It refuses this: ${reasonOf(error)}`,
  },
]

/**
 * Why Stripe refuses for good, and what is to be done about it; undefined for a failure of Stripe's own.
 * The status is 409: the state at Stripe is in the way, not the request itself (RFC 9110 §15.5.10).
 */
export function problemOfStripeError(error: unknown): Problem | undefined {
  if (!final.some((kind) => error instanceof kind)) return undefined
  const refused = error as StripeError
  const rule = rules.find(({ applies }) => applies(refused))
  return new Problem(409, rule?.detail(refused) ?? `Stripe refuses this, and will again: ${reasonOf(refused)}`)
}

/** Whether Stripe has no object of this id, as its keys are; an answer that does not name the id says nothing of it. */
export function isMissing(problem: unknown, noun: 'customer' | 'subscription', id: string): boolean {
  const { cause } = problem as Problem
  return (
    cause instanceof errors.StripeInvalidRequestError &&
    cause.code === 'resource_missing' &&
    cause.message === `No such ${noun}: '${id}'`
  )
}

/** Stripe's own sentence, which is for whoever sent the request; a long one is cut. */
function reasonOf({ message }: StripeError): string {
  return message ? `${message.slice(0, 300)}` : 'it gives no reason.'
}
