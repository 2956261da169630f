import type Stripe from 'stripe'
import type { Subscription } from '../../entities/index.ts'

type Item = Stripe.SubscriptionUpdateParams.Item & { metadata?: Record<string, string> }

/** How much of what: a number of seats, and one of each module. */
export function wanted({ seats, modules }: Pick<Subscription, 'seats' | 'modules'>): Map<string, number> {
  return new Map(namesOf(modules).map((name) => [name, name === 'seat' ? seats : 1]))
}

export function namesOf(modules: string[]): string[] {
  return ['seat', ...modules]
}

/**
 * What to tell Stripe so that a subscription comes to have what is wanted. What it has is named by the item's id, as a price
 * without one would be added once more.
 */
export function itemsFor(
  wish: Map<string, number>,
  prices: Map<string, string>,
  standing: Stripe.SubscriptionItem[] = [],
): Item[] {
  const known = new Set(standing.map(nameOf))
  return [
    ...standing.flatMap((item): Item[] => {
      const quantity = wish.get(nameOf(item) ?? '')
      if (quantity === undefined) return nameOf(item) ? [{ id: item.id, deleted: true }] : []
      return quantity === item.quantity ? [] : [{ id: item.id, quantity }]
    }),
    ...[...wish]
      .filter(([name]) => !known.has(name))
      .map(([name, quantity]) => ({ price: prices.get(name), quantity, metadata: { name } })),
  ]
}

/** What an item is for: what it was noted to be, or what its price is called; undefined for what is none of ours. */
export function nameOf({ metadata, price }: Stripe.SubscriptionItem): string | undefined {
  return metadata?.name || /^(?:module_)?(.+)_(?:monthly|yearly)$/.exec(price?.lookup_key ?? '')?.[1]
}
