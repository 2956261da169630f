import { invalidRequest, resourceMissing } from '../http/api-error.ts'
import type { Params } from '../http/form.ts'
import { flag, hash, hashes, mergeMetadata, number, text } from '../http/parameter-values.ts'
import type { Account } from '../objects/account.ts'
import type { Subscription, SubscriptionItem } from '../objects/billing-objects.ts'
import { addInterval } from '../objects/clock.ts'
import type { Price } from '../objects/objects.ts'

const maxItems = 20

/** The effect of an update on a subscription: all its items afterwards, and each sent item before and after. */
export interface ItemChanges {
  items: SubscriptionItem[]
  pairs: { was: SubscriptionItem | null; is: SubscriptionItem | null }[]
}

export function priceOf(account: Account, params: Params, param: string): Price {
  const id = text(params, 'price') ?? text(params, 'plan')
  if (!id) {
    throw invalidRequest('You must pass a `price` for each new item.', {
      code: 'parameter_missing',
      param: `${param}[price]`,
    })
  }
  const price = account.store.find('price', id)
  if (!price) throw resourceMissing('price', id, `${param}[price]`)
  if (!price.active) {
    throw invalidRequest('The price specified is inactive. This field only accepts active prices.', {
      param: `${param}[price]`,
    })
  }
  if (!price.recurring) {
    throw invalidRequest(
      'The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.',
      { param: `${param}[price]` },
    )
  }
  return price
}

/** Applies `items` as sent: with an id changes, with `deleted` removes, and without an id adds. */
export function changeItems(account: Account, subscription: Subscription, params: Params): ItemChanges {
  const change: ItemChanges = { items: [...subscription.items.data], pairs: [] }
  hashes(params, 'items').forEach((sent, place) => {
    const param = `items[${place}]`
    const id = text(sent, 'id')
    const was = id ? change.items.find((item) => item.id === id) : undefined
    if (id && !was) throw resourceMissing('subscription item', id, `${param}[id]`)
    const is = !was
      ? createItem(account, subscription, sent, param)
      : flag(sent, 'deleted')
        ? null
        : updateItem(account, was, sent, param)
    change.pairs.push({ was: was ?? null, is })
    if (!was) change.items.push(is as SubscriptionItem)
    else change.items = change.items.flatMap((item) => (item !== was ? [item] : is ? [is] : []))
  })
  checkItems(subscription, change.items)
  return change
}

function updateItem(account: Account, was: SubscriptionItem, sent: Params, param: string): SubscriptionItem {
  const sentPrice = text(sent, 'price') ?? text(sent, 'plan')
  const price = sentPrice && sentPrice !== was.price.id ? priceOf(account, sent, param) : was.price
  return {
    ...was,
    ...priceAndPlan(price),
    quantity: quantityOf(sent, param) ?? was.quantity,
    metadata: mergeMetadata(was.metadata, sent),
    ...(!samePeriod(price, was.price) && periodFrom(account.now(), price)),
  }
}

/** A new item goes along with those that are paid at the same interval. */
function createItem(account: Account, subscription: Subscription, sent: Params, param: string): SubscriptionItem {
  const price = priceOf(account, sent, param)
  const companion = subscription.items.data.find((item) => samePeriod(item.price, price))
  const trial = subscription.status === 'trialing' && subscription.trial_end
  const { current_period_start, current_period_end } = trial
    ? { current_period_start: account.now(), current_period_end: trial }
    : (companion ?? periodFrom(account.now(), price))
  return {
    id: account.ids.next('si_', 14),
    object: 'subscription_item',
    billing_thresholds: null,
    created: account.now(),
    current_period_end,
    current_period_start,
    current_trial: null,
    discounts: [],
    metadata: mergeMetadata({}, sent),
    ...priceAndPlan(price),
    quantity: quantityOf(sent, param) ?? 1,
    subscription: subscription.id,
    tax_rates: [],
  }
}

function quantityOf(sent: Params, param: string): number | undefined {
  const quantity = number(sent, 'quantity')
  if (quantity === undefined || quantity >= 0) return quantity
  throw invalidRequest('This value must be greater than or equal to 0.', {
    code: 'parameter_invalid_integer',
    param: `${param}[quantity]`,
  })
}

export function periodFrom(start: number, { recurring }: Price, anchor = start) {
  const { interval, interval_count } = recurring ?? { interval: 'month' as const, interval_count: 1 }
  return { current_period_start: start, current_period_end: addInterval(start, interval, interval_count, anchor) }
}

export function samePeriod({ recurring: a }: Price, { recurring: b }: Price): boolean {
  return a?.interval === b?.interval && a?.interval_count === b?.interval_count
}

/** The price, and the plan as which it is shown as well. */
export function priceAndPlan(price: Price): { price: Price; plan: object } {
  const { id, active, created, currency, nickname, product, recurring, unit_amount } = price
  const plan = {
    id,
    object: 'plan',
    active,
    amount: unit_amount,
    amount_decimal: String(unit_amount),
    billing_scheme: 'per_unit',
    created,
    currency,
    interval: recurring?.interval,
    interval_count: recurring?.interval_count,
    livemode: false,
    metadata: {},
    meter: null,
    nickname,
    product,
    tiers_mode: null,
    transform_usage: null,
    trial_period_days: null,
    usage_type: 'licensed',
  }
  return { price: structuredClone(price), plan }
}

function checkItems({ billing_mode, currency }: Subscription, items: SubscriptionItem[]): void {
  if (!items.length) throw invalidRequest('A subscription must have at least one active plan.', { param: 'items' })
  if (items.length > maxItems) {
    throw invalidRequest(`A subscription can have at most ${maxItems} items.`, { param: 'items' })
  }
  const [first] = items
  items.forEach(({ price }, place) => {
    if (price.currency !== currency) {
      throw invalidRequest(
        `The price specified only supports \`${price.currency}\`. This doesn't match the expected currency: \`${currency}\`.`,
        { param: `items[${place}][price]` },
      )
    }
    if (items.findIndex((other) => other.price.id === price.id) !== place) {
      throw invalidRequest(`Cannot add multiple subscription items with the same plan: ${price.id}`, { param: 'items' })
    }
    if (billing_mode.type === 'classic' && !samePeriod(price, first.price)) {
      throw invalidRequest(
        'All prices on a subscription must have the same `recurring.interval` and `recurring.interval_count`.',
      )
    }
  })
}

export function hasTrial(params: Params): boolean {
  return (
    text(params, 'trial_end') !== 'now' && Boolean(text(params, 'trial_end') || number(params, 'trial_period_days'))
  )
}

export function endBehavior(params: Params): string | undefined {
  return text(hash(hash(params, 'trial_settings'), 'end_behavior'), 'missing_payment_method')
}
