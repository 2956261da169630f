/** These types declare the members of Stripe's objects that the emulator's rules read; other members are only shown. */
export interface StripeObject {
  id: string
  object: string
  [member: string]: unknown
}

export type Metadata = Record<string, string>

export interface List<T> {
  object: 'list'
  data: T[]
  has_more: boolean
  url: string
}

export interface Customer extends StripeObject {
  object: 'customer'
  address: Record<string, string | null> | null
  balance: number
  created: number
  currency: string | null
  delinquent: boolean
  discount: Discount | null
  email: string | null
  name: string | null
  invoice_prefix: string
  invoice_settings: {
    default_payment_method: string | null
    custom_fields: null
    footer: null
    rendering_options: null
  }
  metadata: Metadata
  next_invoice_sequence: number
}

export interface PaymentMethod extends StripeObject {
  object: 'payment_method'
  customer: string | null
  metadata: Metadata
  type: string
}

export interface Product extends StripeObject {
  object: 'product'
  active: boolean
  default_price: string | null
  metadata: Metadata
  name: string
}

export type Interval = 'day' | 'week' | 'month' | 'year'

export interface Price extends StripeObject {
  object: 'price'
  active: boolean
  currency: string
  lookup_key: string | null
  metadata: Metadata
  nickname: string | null
  product: string
  recurring: { interval: Interval; interval_count: number; [member: string]: unknown } | null
  type: 'recurring' | 'one_time'
  unit_amount: number
}

export interface Coupon extends StripeObject {
  object: 'coupon'
  amount_off: number | null
  currency: string | null
  duration: 'once' | 'repeating' | 'forever'
  duration_in_months: number | null
  max_redemptions: number | null
  metadata: Metadata
  name: string | null
  percent_off: number | null
  redeem_by: number | null
  times_redeemed: number
  valid: boolean
}

export interface PromotionCode extends StripeObject {
  object: 'promotion_code'
  active: boolean
  code: string
  customer: string | null
  expires_at: number | null
  max_redemptions: number | null
  metadata: Metadata
  promotion: { type: 'coupon'; coupon: string }
  times_redeemed: number
}

export interface Discount extends StripeObject {
  object: 'discount'
  customer: string
  end: number | null
  promotion_code: string | null
  source: { type: 'coupon'; coupon: string }
  start: number
  subscription: string | null
}
