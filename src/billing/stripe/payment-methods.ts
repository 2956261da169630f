import Stripe from 'stripe'
import { ConstraintViolation } from '../../hydra/index.ts'
import type { Billing } from '../billing.ts'
import { isMissing } from './stripe-errors.ts'
import { requestStripe, withIdempotencyKeys } from './stripe-request.ts'

/**
 * Makes a payment method the customer's own.
 * @throws Problem 402 when the bank refuses it, ConstraintViolation when there is none of that id, or it is somebody else's
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
    // Stripe refuses the customer, or the payment method itself: it does not exist, or it is or was another's.
    throw problem instanceof ConstraintViolation && !isMissing(problem, 'customer', customer) ? unattachable() : problem
  })
}

/** One text for all reasons, so that nothing is told of what other tenants pay with. */
function unattachable(): ConstraintViolation {
  const message =
    'externalId must be the id of a new payment method, as Stripe gave it to the browser; this one cannot be attached.'
  return new ConstraintViolation([{ propertyPath: 'externalId', message, code: 'resource_missing' }])
}

/**
 * Takes a payment method from its customer; one that is nobody's any more is left as it is.
 * @throws Problem 502 when Stripe refuses for any other reason: it may be charged still
 */
export async function detachPaymentMethod({ stripe }: Billing, id: string): Promise<void> {
  await requestStripe('payment_method', stripe.paymentMethods.detach(id)).catch((problem) => {
    if (!isNobodys(problem.cause)) throw problem
  })
}

/** Has a customer's invoices charged to a payment method when nothing else is said. */
export async function makeDefaultPaymentMethod({ stripe }: Billing, customer: string, id: string): Promise<void> {
  await requestStripe(
    'customer',
    stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } }),
  )
}

/** Stripe has a code for what does not exist, but only a sentence for what is attached to nobody. */
function isNobodys(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeInvalidRequestError &&
    (error.code === 'resource_missing' || /is not attached to a customer/.test(error.message))
  )
}
