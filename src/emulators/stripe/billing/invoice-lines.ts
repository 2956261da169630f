import type { Account } from '../objects/account.ts'
import type { InvoiceLine, SubscriptionItem } from '../objects/billing-objects.ts'

interface LineDetails {
  amount: number
  description: string
  start: number
  end: number
  proration: boolean
}

/** The line that charges an item for its current period. */
export function periodLine(account: Account, item: SubscriptionItem): InvoiceLine {
  return createLine(account, item, {
    amount: item.price.unit_amount * item.quantity,
    description: `${item.quantity} × ${nameOf(account, item)} (at ${money(item)} / ${item.price.recurring?.interval})`,
    start: item.current_period_start,
    end: item.current_period_end,
    proration: false,
  })
}

export function trialLine(account: Account, item: SubscriptionItem): InvoiceLine {
  const description = `Trial period for ${nameOf(account, item)}`
  const { current_period_start: start, current_period_end: end } = item
  return createLine(account, item, { amount: 0, description, start, end, proration: false })
}

/** The proration of an item from a moment to the end of its period: a charge, or with `sign` -1 a credit. */
export function prorationLine(
  account: Account,
  item: SubscriptionItem,
  sign: 1 | -1,
  from = account.now(),
): InvoiceLine {
  const { current_period_start: start, current_period_end: end, price, quantity } = item
  const begins = Math.min(Math.max(from, start), end)
  const share = end > start ? (end - begins) / (end - start) : 0
  const date = new Date(begins * 1000).toISOString().slice(0, 10)
  const time = sign < 0 ? 'Unused time' : 'Remaining time'
  return createLine(account, item, {
    amount: sign * Math.round(price.unit_amount * quantity * share),
    description: `${time} on ${quantity} × ${nameOf(account, item)} after ${date}`,
    start: begins,
    end,
    proration: true,
  })
}

function createLine(
  account: Account,
  item: SubscriptionItem,
  { amount, description, start, end, proration }: LineDetails,
): InvoiceLine {
  const { currency, id, product, unit_amount } = item.price
  return {
    id: account.ids.next('il_'),
    object: 'line_item',
    amount,
    currency,
    description,
    discount_amounts: [],
    discountable: !proration,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: {},
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: null,
        proration,
        proration_details: { credited_items: null },
        subscription: item.subscription,
        subscription_item: item.id,
      },
      type: 'subscription_item_details',
    },
    period: { end, start },
    pretax_credit_amounts: [],
    pricing: {
      price_details: { price: id, product },
      type: 'price_details',
      unit_amount_decimal: String(unit_amount),
    },
    quantity: item.quantity,
    quantity_decimal: String(item.quantity),
    subscription: item.subscription,
    subtotal: amount,
    taxes: [],
  }
}

function nameOf(account: Account, { price }: SubscriptionItem): string {
  return account.store.find('product', price.product)?.name ?? price.id
}

function money({ price: { currency, unit_amount } }: SubscriptionItem): string {
  return `${(unit_amount / 100).toFixed(2)} ${currency.toUpperCase()}`
}
