type Check = (value: unknown) => boolean

/** The largest value of a Postgres integer. */
const maxInteger = 2 ** 31 - 1

/** Postgres cannot store U+0000. */
const text: Check = (value) => typeof value === 'string' && !value.includes('\0') && value.isWellFormed()
const flag: Check = (value) => typeof value === 'boolean'
const amount: Check = (value) => Number.isSafeInteger(value)
const count: Check = (value) => amount(value) && (value as number) >= 0 && (value as number) <= maxInteger
const small: Check = (value) => count(value) && (value as number) < 2 ** 15
/** Seconds since 1970, until the end of the year 9999. */
const moment: Check = (value) => amount(value) && (value as number) >= 0 && (value as number) < 253_402_300_800
const id: Check = (value) => text(value) && (value as string).length > 0 && (value as string).length <= 255
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value)
const hash =
  (checks: Record<string, Check>): Check =>
  (value) =>
    isHash(value) && Object.entries(checks).every(([name, check]) => check(value[name]))
const texts: Check = (value) => isHash(value) && Object.values(value).every(text)
const some =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check)
/** A complete object, or only its id. */
const reference: Check = (value) => id(value) || isComplete(value)

/** The fields that this server reads of each kind of object, with their types. */
const kinds = new Map<unknown, Check>(
  Object.entries({
    list: hash({ data: some(isComplete) }),
    customer: hash({
      id,
      deleted: maybe(flag),
      invoice_settings: maybe(hash({ default_payment_method: maybe(reference) })),
    }),
    subscription: hash({
      id,
      status: id,
      customer: reference,
      items: isComplete,
      metadata: maybe(texts),
      discounts: maybe(some(reference)),
      cancel_at: maybe(moment),
      pause_collection: maybe(hash({ behavior: id })),
      default_payment_method: maybe(reference),
      latest_invoice: maybe(reference),
    }),
    subscription_item: hash({ id, quantity: maybe(count), price: maybe(isComplete), metadata: maybe(texts) }),
    price: hash({
      id,
      lookup_key: maybe(text),
      nickname: maybe(text),
      product: maybe(reference),
      recurring: maybe(hash({ interval: text })),
    }),
    discount: hash({
      id,
      promotion_code: maybe(reference),
      source: maybe(hash({ coupon: maybe(reference) })),
    }),
    coupon: hash({ id, valid: flag, duration: maybe(text) }),
    promotion_code: hash({
      id,
      code: text,
      customer: maybe(reference),
      max_redemptions: maybe(count),
      promotion: maybe(hash({ coupon: maybe(reference) })),
    }),
    payment_method: hash({
      id,
      type: text,
      card: maybe(
        hash({
          display_brand: maybe(text),
          brand: maybe(text),
          last4: maybe(text),
          exp_month: maybe(small),
          exp_year: maybe(small),
        }),
      ),
      sepa_debit: maybe(hash({ last4: maybe(text) })),
    }),
    invoice: hash({
      id,
      number: maybe(text),
      status: maybe(text),
      currency: text,
      total: amount,
      amount_due: amount,
      created: moment,
      due_date: maybe(moment),
      invoice_pdf: maybe(text),
      hosted_invoice_url: maybe(text),
      discounts: maybe(some(reference)),
      status_transitions: maybe(hash({ finalized_at: maybe(moment), paid_at: maybe(moment) })),
      parent: maybe(hash({ subscription_details: maybe(hash({ subscription: maybe(reference) })) })),
      confirmation_secret: maybe(hash({ client_secret: maybe(text) })),
    }),
    invoice_payment: hash({ id, payment: hash({ payment_intent: maybe(reference) }) }),
    payment_intent: hash({
      id,
      status: text,
      last_payment_error: maybe(hash({ code: maybe(text), decline_code: maybe(text) })),
    }),
    refund: hash({ id, amount }),
    setup_intent: hash({ id, client_secret: maybe(text) }),
  }),
)

/** Whether an object of Stripe has every field that this server reads, with the right types. */
export function isComplete(value: unknown): boolean {
  if (!isHash(value)) return false
  if (value.object === 'customer' && value.deleted === true) return id(value.id)
  return kinds.get(value.object)?.(value) ?? false
}

function isHash(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
