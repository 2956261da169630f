import { errorResponse, invalidRequest, StripeError } from '../http/api-error.ts'
import type { Account } from '../objects/account.ts'

interface TestCard {
  brand: string
  last4: string
  /** Refused when it is attached. */
  attachDecline?: string
  /** Attached, and then declined whenever it is charged. */
  chargeDecline?: string
  /** Asks its holder every time. */
  requiresAuthentication?: boolean
}

/** Stripe's own cards for tests: https://docs.stripe.com/testing */
const cards: Record<string, TestCard> = {
  pm_card_visa: { brand: 'visa', last4: '4242' },
  pm_card_mastercard: { brand: 'mastercard', last4: '4444' },
  pm_card_amex: { brand: 'amex', last4: '8431' },
  pm_card_chargeDeclined: { brand: 'visa', last4: '0002', attachDecline: 'generic_decline' },
  pm_card_visa_chargeDeclined: { brand: 'visa', last4: '0002', attachDecline: 'generic_decline' },
  pm_card_chargeDeclinedInsufficientFunds: { brand: 'visa', last4: '9995', attachDecline: 'insufficient_funds' },
  pm_card_chargeDeclinedLostCard: { brand: 'visa', last4: '9987', attachDecline: 'lost_card' },
  pm_card_chargeDeclinedExpiredCard: { brand: 'visa', last4: '0069', attachDecline: 'expired_card' },
  pm_card_chargeDeclinedIncorrectCvc: { brand: 'visa', last4: '0127', attachDecline: 'incorrect_cvc' },
  pm_card_chargeDeclinedProcessingError: { brand: 'visa', last4: '0119', attachDecline: 'processing_error' },
  pm_card_chargeCustomerFail: { brand: 'visa', last4: '0341', chargeDecline: 'generic_decline' },
  pm_card_authenticationRequired: { brand: 'visa', last4: '3184', requiresAuthentication: true },
  pm_card_threeDSecure2Required: { brand: 'visa', last4: '3220', requiresAuthentication: true },
}

/** By the numbers printed on them, as Stripe.js would send them. */
const numbers: Record<string, string> = {
  '4242424242424242': 'pm_card_visa',
  '5555555555554444': 'pm_card_mastercard',
  '4000000000000002': 'pm_card_chargeDeclined',
  '4000000000009995': 'pm_card_chargeDeclinedInsufficientFunds',
  '4000000000000069': 'pm_card_chargeDeclinedExpiredCard',
  '4000000000000341': 'pm_card_chargeCustomerFail',
  '4000002760003184': 'pm_card_authenticationRequired',
}

export function testCard(token: string): TestCard | undefined {
  return Object.hasOwn(cards, token) ? cards[token] : undefined
}

export function tokenOfNumber(number: string): string {
  const token = numbers[number.replaceAll(/\s/g, '')]
  if (token) return token
  throw invalidRequest('Your card was declined. Your request was in test mode, but used a non test card.', {
    status: 402,
    type: 'card_error',
    code: 'card_declined',
    decline_code: 'test_mode_live_card',
  })
}

const declineMessages: Record<string, string> = {
  insufficient_funds: 'Your card has insufficient funds.',
  expired_card: 'Your card has expired.',
  incorrect_cvc: "Your card's security code is incorrect.",
  processing_error: 'An error occurred while processing your card. Try again in a little bit.',
  authentication_required: 'Your card was declined. This transaction requires authentication.',
}

/** Some reasons are codes of their own, the others are reasons of `card_declined`. */
export function declineDetails(reason: string): { type: string; code: string; decline_code: string; message: string } {
  const own = ['expired_card', 'incorrect_cvc', 'processing_error', 'authentication_required'].includes(reason)
  return {
    type: 'card_error',
    code: own ? reason : 'card_declined',
    decline_code: reason,
    message: declineMessages[reason] ?? 'Your card was declined.',
  }
}

/** A 402 for a declined card. With `kept`, the changes of the request stay. */
export function cardDeclined(reason: string, details: Record<string, unknown> = {}, kept = false): StripeError {
  const { message, ...error } = declineDetails(reason)
  return new StripeError(errorResponse(402, message, { ...error, ...details }), kept)
}

/** Why a charge of this method fails, if it does. */
export function declineCodeOf(account: Account, method: string): string | null {
  return account.declineCode ?? account.store.find('local.card', method)?.decline ?? null
}
