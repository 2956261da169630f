import { invalidRequest, type StripeError } from '../http/api-error.ts'

/**
 * The largest amount, in cents. Stripe publishes this limit for charges and invoices only; the emulator holds prices to it too.
 * https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
 */
export const maxAmount = 99_999_999

export function amountTooLarge(currency: string, param?: string): StripeError {
  return invalidRequest(`Amount must be no more than 999,999.99 ${currency.toUpperCase()}`, {
    code: 'amount_too_large',
    ...(param && { param }),
  })
}
