import type {
  Coupon,
  Customer,
  Discount,
  List,
  Metadata,
  PaymentMethod,
  Price,
  Product,
  PromotionCode,
  StripeObject,
} from './objects.ts'
import type { InvoicePayment, PaymentIntent, Refund, SetupIntent } from './payment-objects.ts'

export interface SubscriptionItem extends StripeObject {
  object: 'subscription_item'
  current_period_end: number
  current_period_start: number
  metadata: Metadata
  price: Price
  quantity: number
  subscription: string
}

export type SubscriptionStatus =
  | 'incomplete'
  | 'incomplete_expired'
  | 'trialing'
  | 'active'
  | 'past_due'
  | 'unpaid'
  | 'paused'
  | 'canceled'

export type CollectionMethod = 'charge_automatically' | 'send_invoice'

/** Why a subscription is paused. */
export type PauseReason = 'pause_requested' | 'trial_end_without_payment_method'

export interface Subscription extends StripeObject {
  object: 'subscription'
  automatic_tax: { disabled_reason: null; enabled: boolean; liability: { type: 'self' } | null }
  billing_cycle_anchor: number
  billing_mode: { type: string; flexible: unknown }
  cancel_at: number | null
  cancel_at_period_end: boolean
  canceled_at: number | null
  cancellation_details: {
    comment: string | null
    feedback: string | null
    feedback_option: string | null
    reason: string | null
  }
  collection_method: CollectionMethod
  created: number
  currency: string
  customer: string
  days_until_due: number | null
  default_payment_method: string | null
  description: string | null
  discounts: string[]
  ended_at: number | null
  items: List<SubscriptionItem>
  latest_invoice: string | null
  metadata: Metadata
  pause_collection: { behavior: string; resumes_at: number | null } | null
  payment_settings: { save_default_payment_method: string | null; [member: string]: unknown }
  pending_setup_intent: string | null
  pending_update: {
    billing_cycle_anchor: number | null
    expires_at: number
    subscription_items: SubscriptionItem[]
    [member: string]: unknown
  } | null
  schedule: string | null
  status: SubscriptionStatus
  /** Present while the subscription is paused. */
  status_details?: {
    paused: { subscription: { type: PauseReason }; transitioned_at: number; type: 'subscription' }
  }
  trial_end: number | null
  trial_settings: { end_behavior: { billing_cycle_anchor: string | null; missing_payment_method: string } }
  trial_start: number | null
}

export interface SubscriptionSchedule extends StripeObject {
  object: 'subscription_schedule'
  released_at: number | null
  released_subscription: string | null
  status: 'active' | 'released'
  subscription: string | null
}

export interface InvoiceLine extends StripeObject {
  object: 'line_item'
  amount: number
  discount_amounts: { amount: number; discount: string }[]
}

export interface Invoice extends StripeObject {
  object: 'invoice'
  amount_due: number
  amount_paid: number
  amount_remaining: number
  attempt_count: number
  attempted: boolean
  auto_advance: boolean
  billing_reason: string
  collection_method: CollectionMethod
  created: number
  currency: string
  customer: string
  default_payment_method: string | null
  discounts: string[]
  due_date: number | null
  ending_balance: number | null
  hosted_invoice_url: string | null
  invoice_pdf: string | null
  lines: List<InvoiceLine>
  metadata: Metadata
  next_payment_attempt: number | null
  number: string | null
  parent: { subscription_details: { subscription: string; metadata: Metadata }; [member: string]: unknown }
  starting_balance: number
  status: 'draft' | 'open' | 'paid' | 'uncollectible' | 'void'
  status_transitions: Record<'finalized_at' | 'marked_uncollectible_at' | 'paid_at' | 'voided_at', number | null>
  subtotal: number
  total: number
}

/** An extra line, such as a proration, that waits for the next invoice of a subscription. */
export interface InvoiceItem extends StripeObject {
  object: 'invoiceitem'
  amount: number
  customer: string
  subscription: string
  line: InvoiceLine
}

export interface Event extends StripeObject {
  object: 'event'
  created: number
  data: { object: StripeObject; previous_attributes?: Record<string, unknown> }
  pending_webhooks: number
  type: string
}

/** How a method of payment behaves, of which Stripe's object shows nothing. */
export interface LocalCard extends StripeObject {
  object: 'local.card'
  authenticates: boolean
  decline: string | null
}

/** The request to resume a subscription that made the invoice of this id. */
export interface Resumption extends StripeObject {
  object: 'local.resumption'
  behavior: 'resume_on_payment_attempt' | 'resume_on_payment_success'
}

export interface ObjectsByType {
  customer: Customer
  payment_method: PaymentMethod
  product: Product
  price: Price
  coupon: Coupon
  promotion_code: PromotionCode
  discount: Discount
  subscription: Subscription
  subscription_schedule: SubscriptionSchedule
  invoice: Invoice
  invoiceitem: InvoiceItem
  invoice_payment: InvoicePayment
  payment_intent: PaymentIntent
  setup_intent: SetupIntent
  refund: Refund
  event: Event
  'local.card': LocalCard
  'local.note': StripeObject
  'local.resumption': Resumption
  'local.clock': StripeObject
}
