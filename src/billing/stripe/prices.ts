import type Stripe from 'stripe'
import { ConstraintViolation, Problem } from '../../hydra/index.ts'
import { requestStripe } from './stripe-request.ts'
import { lookupKeyOf, lookupKeys, needsProducts, type Products, productsOf } from './subscription-items.ts'

/** Products are cached for one minute. */
const maxAgeMs = 60_000

/** The maxLookupKeys lookup keys that Stripe accepts in one request. */
const maxLookupKeys = 10

/** The prices of the catalogue at Stripe. Their lookup keys are the same in every account; their ids are not. */
export class Prices {
  private cached: { products: Promise<Products>; until: number } | undefined

  constructor(private readonly stripe: Stripe) {}

  /**
   * The ids of the active prices of seats and modules, by name.
   * @throws ConstraintViolation for a module without an active price, Problem 409 when seats have none
   */
  async idsByName(names: string[], type: string): Promise<Map<string, string>> {
    if (names.length === 0) return new Map()
    const keys = new Map(names.map((name) => [lookupKeyOf(name, type), name]))
    const found = await this.list([...keys.keys()], true)
    const prices = new Map(found.map(({ lookup_key, id }) => [keys.get(lookup_key as string) as string, id]))
    const missing = names.filter((name) => !prices.has(name))
    if (missing.includes('seat'))
      throw new Problem(409, `Seats have no ${type} price at Stripe. The operator must create one.`)
    if (missing.length === 0) return prices
    const message = `modules must not add ${missing.join(', ')}: Stripe has no ${type} price for it.`
    throw new ConstraintViolation([{ propertyPath: 'modules', message, code: 'isSold' }])
  }

  /** The products that identify the items of subscriptions; fetched only when the prices alone do not identify them. */
  async productsFor(subscriptions: Stripe.Subscription[]): Promise<Products> {
    if (!subscriptions.some(({ items }) => needsProducts(items.data))) return new Map()
    if (!this.cached || this.cached.until < Date.now()) {
      const products = this.list(lookupKeys).then(productsOf)
      products.catch(() => {
        this.cached = undefined
      })
      this.cached = { products, until: Date.now() + maxAgeMs }
    }
    return this.cached.products
  }

  private async list(keys: string[], active?: boolean): Promise<Stripe.Price[]> {
    const parts = Array.from({ length: Math.ceil(keys.length / maxLookupKeys) }, (_, part) =>
      keys.slice(part * maxLookupKeys, (part + 1) * maxLookupKeys),
    )
    const lists = await Promise.all(
      parts.map((lookup_keys) =>
        requestStripe('list', this.stripe.prices.list({ lookup_keys, ...(active && { active }), limit: 100 })),
      ),
    )
    return lists.flatMap(({ data }) => data)
  }
}
