import { requireObject } from '../http/route.ts'
import type { Account } from '../objects/account.ts'
import type { PaymentIntent } from '../objects/payment-objects.ts'
import { declineCodeOf, declineDetails } from './test-cards.ts'

interface Attempt {
  method: string | null
  /** The holder of the card has just said yes. */
  authenticated?: boolean
}

export type AttemptOutcome = { paid: true; method: string } | { paid: false; action: boolean; reason: string | null }

/** One attempt to have the money. */
export function attemptPayment(
  account: Account,
  intent: PaymentIntent,
  { method, authenticated }: Attempt,
): AttemptOutcome {
  if (!method) return { paid: false, action: false, reason: null }
  const reason = declineCodeOf(account, method)
  if (reason) return failAttempt(account, intent, method, reason)
  if (account.store.find('local.card', method)?.authenticates && !authenticated)
    return requireAuthentication(account, intent, method)
  account.update(
    intent,
    () => {
      intent.amount_received = intent.amount
      intent.last_payment_error = null
      intent.latest_charge = account.ids.next('ch_')
      intent.next_action = null
      intent.payment_method = method
      intent.status = 'succeeded'
    },
    'payment_intent.succeeded',
  )
  return { paid: true, method }
}

function failAttempt(account: Account, intent: PaymentIntent, method: string, reason: string): AttemptOutcome {
  const payment_method = requireObject(account, 'payment_method', method)
  account.update(
    intent,
    () => {
      intent.last_payment_error = { ...declineDetails(reason), payment_method: structuredClone(payment_method) }
      intent.next_action = null
      intent.payment_method = null
      intent.status = 'requires_payment_method'
    },
    'payment_intent.payment_failed',
  )
  return { paid: false, action: false, reason }
}

function requireAuthentication(account: Account, intent: PaymentIntent, method: string): AttemptOutcome {
  account.update(
    intent,
    () => {
      intent.next_action = { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect' } }
      intent.payment_method = method
      intent.status = 'requires_action'
    },
    'payment_intent.requires_action',
  )
  return { paid: false, action: true, reason: 'authentication_required' }
}

export function cancelIntent(account: Account, intent: PaymentIntent, reason: string): void {
  if (intent.status === 'succeeded' || intent.status === 'canceled') return
  account.update(
    intent,
    () => {
      intent.canceled_at = account.now()
      intent.cancellation_reason = reason
      intent.next_action = null
      intent.status = 'canceled'
    },
    'payment_intent.canceled',
  )
}
