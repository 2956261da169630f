import { amountTooLarge, maxAmount } from '../billing/amount-limit.ts'
import { priceAndPlan } from '../billing/item-changes.ts'
import { invalidRequest } from '../http/api-error.ts'
import type { Params } from '../http/form.ts'
import { flag, hash, mergeMetadata, number, text, textOrNull, texts } from '../http/parameter-values.ts'
import { requireObject } from '../http/route.ts'
import type { Account } from './account.ts'
import type { Interval, Price, Product } from './objects.ts'

export function createProduct(account: Account, params: Params): Product {
  const id = text(params, 'id') || account.ids.next('prod_', 14)
  if (account.store.find('product', id)) {
    throw invalidRequest(`Product already exists.`, { code: 'resource_already_exists', param: 'id' })
  }
  const product: Product = {
    id,
    object: 'product',
    active: flag(params, 'active') ?? true,
    created: account.now(),
    default_price: null,
    description: textOrNull(params, 'description'),
    images: texts(params, 'images'),
    livemode: false,
    marketing_features: [],
    metadata: mergeMetadata({}, params),
    name: text(params, 'name') ?? '',
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: 'service',
    unit_label: textOrNull(params, 'unit_label'),
    updated: account.now(),
    url: textOrNull(params, 'url'),
  }
  return account.add(product, 'product.created')
}

export function createPrice(account: Account, params: Params): Price {
  const lookup = textOrNull(params, 'lookup_key')
  claimLookupKey(account, lookup, flag(params, 'transfer_lookup_key') ?? false)
  const data = hash(params, 'product_data')
  if (!data && !text(params, 'product')) {
    throw invalidRequest('You must specify either `product` or `product_data` when creating a price.')
  }
  const product = data
    ? createProduct(account, data)
    : requireObject(account, 'product', text(params, 'product') ?? '', 'product')
  const recurring = hash(params, 'recurring')
  const currency = (text(params, 'currency') ?? '').toLowerCase()
  const amount = number(params, 'unit_amount') ?? 0
  if (amount > maxAmount) throw amountTooLarge(currency, 'unit_amount')
  const price: Price = {
    id: account.ids.next('price_'),
    object: 'price',
    active: flag(params, 'active') ?? true,
    billing_scheme: 'per_unit',
    created: account.now(),
    currency,
    custom_unit_amount: null,
    livemode: false,
    lookup_key: lookup,
    metadata: mergeMetadata({}, params),
    nickname: textOrNull(params, 'nickname'),
    product: product.id,
    recurring: recurring
      ? {
          interval: (text(recurring, 'interval') ?? 'month') as Interval,
          interval_count: number(recurring, 'interval_count') ?? 1,
          meter: null,
          trial_period_days: null,
          usage_type: 'licensed',
        }
      : null,
    tax_behavior: text(params, 'tax_behavior') ?? 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: recurring ? 'recurring' : 'one_time',
    unit_amount: amount,
    unit_amount_decimal: String(amount),
  }
  return account.add(price, 'price.created')
}

export function updateProduct(account: Account, product: Product, params: Params): Product {
  account.update(product, () => {
    product.name = text(params, 'name') ?? product.name
    product.active = flag(params, 'active') ?? product.active
    for (const name of ['description', 'url', 'unit_label'] as const)
      if (name in params) product[name] = textOrNull(params, name)
    if ('images' in params) product.images = texts(params, 'images')
    const price = text(params, 'default_price')
    if (price) product.default_price = requireObject(account, 'price', price, 'default_price').id
    product.metadata = mergeMetadata(product.metadata, params)
    product.updated = account.now()
  })
  return product
}

/** The amount of a price cannot be changed; an archived price stays with its subscribers. */
export function updatePrice(account: Account, price: Price, params: Params): Price {
  const lookup = text(params, 'lookup_key')
  if (lookup) claimLookupKey(account, lookup, flag(params, 'transfer_lookup_key') ?? false, price)
  account.update(price, () => {
    price.active = flag(params, 'active') ?? price.active
    if (lookup !== undefined) price.lookup_key = lookup || null
    if ('nickname' in params) price.nickname = textOrNull(params, 'nickname')
    price.tax_behavior = text(params, 'tax_behavior') ?? price.tax_behavior
    price.metadata = mergeMetadata(price.metadata, params)
  })
  updatePriceOfItems(account, price)
  return price
}

/** Items show their price as it is now. */
function updatePriceOfItems(account: Account, price: Price): void {
  for (const subscription of account.store.all('subscription')) {
    const items = [...subscription.items.data, ...(subscription.pending_update?.subscription_items ?? [])]
    const its = items.filter((item) => item.price.id === price.id)
    if (its.length === 0) continue
    account.store.change(subscription, () => {
      for (const item of its) Object.assign(item, priceAndPlan(price))
    })
  }
}

function claimLookupKey(account: Account, lookup: string | null, transfer: boolean, own?: Price): void {
  if (!lookup) return
  for (const price of account.store.all('price')) {
    if (price.lookup_key !== lookup || price === own) continue
    if (!transfer) {
      throw invalidRequest(`A price (\`${price.id}\`) already uses that lookup key.`, { param: 'lookup_key' })
    }
    account.update(price, () => {
      price.lookup_key = null
    })
    updatePriceOfItems(account, price)
  }
}
