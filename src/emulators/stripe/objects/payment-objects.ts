import type { Metadata, StripeObject } from './objects.ts'

export interface InvoicePayment extends StripeObject {
  object: 'invoice_payment'
  amount_paid: number | null
  invoice: string
  payment: { type: 'payment_intent'; payment_intent: string }
  status: 'open' | 'paid' | 'canceled'
  status_transitions: { canceled_at: number | null; paid_at: number | null }
}

export type IntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'succeeded'
  | 'canceled'

interface Intent extends StripeObject {
  canceled_at?: number | null
  client_secret: string
  customer: string | null
  metadata: Metadata
  next_action: Record<string, unknown> | null
  payment_method: string | null
  status: IntentStatus
}

export interface PaymentIntent extends Intent {
  object: 'payment_intent'
  amount: number
  amount_received: number
  currency: string
  last_payment_error: Record<string, unknown> | null
  latest_charge: string | null
}

export interface SetupIntent extends Intent {
  object: 'setup_intent'
  last_setup_error: Record<string, unknown> | null
}

export interface Refund extends StripeObject {
  object: 'refund'
  amount: number
  charge: string | null
  payment_intent: string
}
