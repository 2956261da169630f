import type Stripe from 'stripe'
import type { Subscription } from '../../../entities/index.ts'
import { catalogue } from '../../../entities/organization-module.ts'

type Item = Stripe.SubscriptionUpdateParams.Item & { metadata?: Record<string, string> }

/** The catalogue names of Stripe's products, by their ids. */
export type Products = Map<string, string>

const names = ['seat', ...catalogue]

/** The lookup keys of all prices of the catalogue. */
export const lookupKeys = names.flatMap((name) => ['monthly', 'yearly'].map((type) => lookupKeyOf(name, type)))

export function lookupKeyOf(name: string, type: string): string {
  return name === 'seat' ? `seat_${type}` : `module_${name}_${type}`
}

/** The quantities of a subscription by name: its seats, and one of each module. */
export function desiredQuantities({ seats, modules }: Pick<Subscription, 'seats' | 'modules'>): Map<string, number> {
  return new Map(['seat', ...modules].map((name) => [name, name === 'seat' ? seats : 1]))
}

/** The names without an item yet; each needs a price. */
export function missingItems(
  desired: Map<string, number>,
  items: Stripe.SubscriptionItem[],
  products: Products,
): string[] {
  const known = new Set(items.map((item) => catalogueNameOf(item, products)))
  return [...desired.keys()].filter((name) => !known.has(name))
}

/**
 * The changes of items that give a subscription the desired quantities, with one item a name. An existing item is changed by
 * its id and keeps its price: without the id Stripe would add a second item. Items outside the catalogue are the operator's
 * and stay as they are.
 */
export function itemUpdates(
  desired: Map<string, number>,
  prices: Map<string, string>,
  items: Stripe.SubscriptionItem[] = [],
  products: Products = new Map(),
): Item[] {
  const seen = new Set<string>()
  return [
    ...items.flatMap((item): Item[] => {
      const name = catalogueNameOf(item, products)
      if (!name) return []
      const quantity = seen.has(name) ? undefined : desired.get(name)
      seen.add(name)
      if (quantity === undefined) return [{ id: item.id, deleted: true }]
      return quantity === item.quantity ? [] : [{ id: item.id, quantity }]
    }),
    ...missingItems(desired, items, products).map((name) => ({
      price: prices.get(name),
      quantity: desired.get(name),
      metadata: { name },
    })),
  ]
}

/**
 * The catalogue name of an item: by the lookup key of its price, or else by its product, or else by its metadata. A lookup key
 * moves to the new price when a price is replaced. Items of the operator have no catalogue name.
 */
export function catalogueNameOf({ metadata, price }: Stripe.SubscriptionItem, products: Products): string | undefined {
  const candidates = [nameByLookupKey(price), products.get(productOf(price) ?? ''), metadata?.name]
  return candidates.find((name) => name && names.includes(name))
}

/** Whether the price of an item has no lookup key of the catalogue, so that its product must identify it. */
export function needsProducts(items: Stripe.SubscriptionItem[]): boolean {
  return items.some(({ price }) => !nameByLookupKey(price))
}

/** The products whose prices all have the same catalogue name. A product with several names identifies none. */
export function productsOf(prices: Stripe.Price[]): Products {
  const products: Products = new Map()
  const ambiguous = new Set<string>()
  for (const price of prices) {
    const [name, product] = [nameByLookupKey(price), productOf(price)]
    if (!name || !product) continue
    if (products.has(product) && products.get(product) !== name) ambiguous.add(product)
    products.set(product, name)
  }
  for (const product of ambiguous) products.delete(product)
  return products
}

/** The name that is shown for an item outside the catalogue. */
export function otherProductName({ price }: Stripe.SubscriptionItem): string {
  return price?.nickname || price?.lookup_key || productOf(price) || 'other'
}

function nameByLookupKey(price: Stripe.Price | null | undefined): string | undefined {
  return names.find((name) => ['monthly', 'yearly'].some((type) => price?.lookup_key === lookupKeyOf(name, type)))
}

function productOf(price: Stripe.Price | null | undefined): string | undefined {
  return typeof price?.product === 'string' ? price.product : price?.product?.id
}
