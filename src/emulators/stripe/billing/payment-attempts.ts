import { existing } from '../http/route.ts'
import type { Account } from '../objects/account.ts'
import type { PaymentIntent } from '../objects/billing-objects.ts'
import { decline, declineOf } from './test-cards.ts'

interface Charge {
  method: string | null
  /** The holder of the card has just said yes. */
  authenticated?: boolean
}

export type Outcome = { paid: true; method: string } | { paid: false; action: boolean; reason: string | null }

/** One attempt to have the money. */
export function charge(account: Account, intent: PaymentIntent, { method, authenticated }: Charge): Outcome {
  if (!method) return { paid: false, action: false, reason: null }
  const reason = declineOf(account, method)
  if (reason) return fail(account, intent, method, reason)
  if (account.store.find('local.card', method)?.authenticates && !authenticated) return ask(account, intent, method)
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

function fail(account: Account, intent: PaymentIntent, method: string, reason: string): Outcome {
  const payment_method = existing(account, 'payment_method', method)
  account.update(
    intent,
    () => {
      intent.last_payment_error = { ...decline(reason), payment_method: structuredClone(payment_method) }
      intent.next_action = null
      intent.payment_method = null
      intent.status = 'requires_payment_method'
    },
    'payment_intent.payment_failed',
  )
  return { paid: false, action: false, reason }
}

function ask(account: Account, intent: PaymentIntent, method: string): Outcome {
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
