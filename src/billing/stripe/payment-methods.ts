import Stripe from 'stripe'
import { ConstraintViolation } from '../../hydra/index.ts'
import type { Billing } from '../billing.ts'
import { isMissing } from './stripe-errors.ts'
import { requestStripe, withIdempotencyKeys } from './stripe-request.ts'

/** Creates a setup intent; with its client secret the browser sends a new card or account to Stripe. */
export async function createSetupIntent({ stripe }: Billing, customer: string, key: string): Promise<string | null> {
  const intent = await withIdempotencyKeys(`${key}:setup:${customer}`, (options) =>
    requestStripe('setup_intent', stripe.setupIntents.create({ customer, usage: 'off_session' }, options)),
  )
  return intent.client_secret
}

/**
 * Attaches a payment method to a customer.
 * @throws Problem 402 when the bank declines it
 * @throws ConstraintViolation when no payment method has this id, or another customer has it
 */
export function attachPaymentMethod(
  { stripe }: Billing,
  id: string,
  customer: string,
  key: string,
): Promise<Stripe.PaymentMethod> {
  return withIdempotencyKeys(`${key}:attach:${customer}`, (options) =>
    requestStripe('payment_method', stripe.paymentMethods.attach(id, { customer }, options), {
      payment_method: 'externalId',
      '': 'externalId',
    }),
  ).catch((problem) => {
    // Stripe rejects the customer, or the payment method: it does not exist, or another customer has or had it.
    throw problem instanceof ConstraintViolation && !isMissing(problem, 'customer', customer)
      ? notAttachable()
      : problem
  })
}

/** One message for all reasons: it must not reveal the payment methods of other tenants. */
function notAttachable(): ConstraintViolation {
  const message =
    'externalId must be the id of a new payment method, as Stripe gave it to the browser; this one cannot be attached.'
  return new ConstraintViolation([{ propertyPath: 'externalId', message, code: 'resource_missing' }])
}

/**
 * Detaches a payment method from its customer. One that is already detached is no error.
 * @throws Problem 502 when Stripe refuses for any other reason: it could still be charged
 */
export async function detachPaymentMethod({ stripe }: Billing, id: string): Promise<void> {
  await requestStripe('payment_method', stripe.paymentMethods.detach(id)).catch((problem) => {
    if (!isDetached(problem.cause)) throw problem
  })
}

/** Makes a payment method the default of its customer: invoices are charged to it unless the subscription names another. */
export async function makeDefaultPaymentMethod({ stripe }: Billing, customer: string, id: string): Promise<void> {
  await requestStripe(
    'customer',
    stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } }),
  )
}

/** Stripe has an error code for a payment method that does not exist, but only a sentence for a detached one. */
function isDetached(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeInvalidRequestError &&
    (error.code === 'resource_missing' || /is not attached to a customer/.test(error.message))
  )
}
