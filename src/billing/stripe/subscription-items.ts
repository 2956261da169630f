import type Stripe from 'stripe'
import type { Subscription } from '../../../entities/index.ts'
import { catalogue } from '../../../entities/organization-module.ts'

type Item = Stripe.SubscriptionUpdateParams.Item & { metadata?: Record<string, string> }

/** The names of Stripe's products that are in the catalogue, by their ids. */
export type Products = Map<string, string>

const names = ['seat', ...catalogue]

/** The lookup keys of all prices in the catalogue. */
export const lookupKeys = names.flatMap((name) => ['monthly', 'yearly'].map((type) => lookupKeyOf(name, type)))

export function lookupKeyOf(name: string, type: string): string {
  return name === 'seat' ? `seat_${type}` : `module_${name}_${type}`
}

/** How much of what: a number of seats, and one of each module. */
export function desiredQuantities({ seats, modules }: Pick<Subscription, 'seats' | 'modules'>): Map<string, number> {
  return new Map(['seat', ...modules].map((name) => [name, name === 'seat' ? seats : 1]))
}

/** What is wanted and has no line yet, so that a price is needed for it. */
export function missingItems(
  wish: Map<string, number>,
  standing: Stripe.SubscriptionItem[],
  products: Products,
): string[] {
  const known = new Set(standing.map((item) => catalogueNameOf(item, products)))
  return [...wish.keys()].filter((name) => !known.has(name))
}

/**
 * What to tell Stripe so that a subscription comes to have what is wanted, one line of each. What it has is named by the
 * item's id, as a price without one would be added once more; a line keeps its price. Lines that are not of the catalogue are
 * the operator's, and left alone.
 */
export function itemUpdates(
  wish: Map<string, number>,
  prices: Map<string, string>,
  standing: Stripe.SubscriptionItem[] = [],
  products: Products = new Map(),
): Item[] {
  const seen = new Set<string>()
  return [
    ...standing.flatMap((item): Item[] => {
      const name = catalogueNameOf(item, products)
      if (!name) return []
      const quantity = seen.has(name) ? undefined : wish.get(name)
      seen.add(name)
      if (quantity === undefined) return [{ id: item.id, deleted: true }]
      return quantity === item.quantity ? [] : [{ id: item.id, quantity }]
    }),
    ...missingItems(wish, standing, products).map((name) => ({
      price: prices.get(name),
      quantity: wish.get(name),
      metadata: { name },
    })),
  ]
}

/**
 * What of the catalogue an item is for, by what is billed: its price's lookup key, which moves to another price when that
 * takes over, or its product; else by the name that was noted on it. Undefined for the operator's own lines.
 */
export function catalogueNameOf({ metadata, price }: Stripe.SubscriptionItem, products: Products): string | undefined {
  const known = [keyed(price), products.get(productOf(price) ?? ''), metadata?.name]
  return known.find((name) => name && names.includes(name))
}

/** Whether the items can be told apart only by their products. */
export function needsProducts(items: Stripe.SubscriptionItem[]): boolean {
  return items.some(({ price }) => !keyed(price))
}

/** The products that have prices of one name in the catalogue; one that is sold under several names tells nothing. */
export function productsOf(prices: Stripe.Price[]): Products {
  const products: Products = new Map()
  const several = new Set<string>()
  for (const price of prices) {
    const [name, product] = [keyed(price), productOf(price)]
    if (!name || !product) continue
    if (products.has(product) && products.get(product) !== name) several.add(product)
    products.set(product, name)
  }
  for (const product of several) products.delete(product)
  return products
}

/** What a line of the operator's own is shown as. */
export function otherProductName({ price }: Stripe.SubscriptionItem): string {
  return price?.nickname || price?.lookup_key || productOf(price) || 'other'
}

function keyed(price: Stripe.Price | null | undefined): string | undefined {
  return names.find((name) => ['monthly', 'yearly'].some((type) => price?.lookup_key === lookupKeyOf(name, type)))
}

function productOf(price: Stripe.Price | null | undefined): string | undefined {
  return typeof price?.product === 'string' ? price.product : price?.product?.id
}
