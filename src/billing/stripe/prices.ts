import type Stripe from 'stripe'
import { ConstraintViolation, Problem } from '../../hydra/index.ts'
import { requestStripe } from './stripe-request.ts'
import { lookupKeyOf, lookupKeys, needsProducts, type Products, productsOf } from './subscription-items.ts'

/** For how many milliseconds products are taken for known. */
const freshness = 60_000

/** How many lookup keys Stripe takes at once. */
const most = 10

/** The catalogue at Stripe: its prices are found by lookup keys, which are the same in every account. */
export class Prices {
  private known: { products: Promise<Products>; until: number } | undefined

  constructor(private readonly stripe: Stripe) {}

  /**
   * The active prices of what is to be added to a subscription, by name.
   * @throws ConstraintViolation for a module that is not sold, Problem 409 when seats are not sold
   */
  async idsByName(names: string[], type: string): Promise<Map<string, string>> {
    if (names.length === 0) return new Map()
    const keys = new Map(names.map((name) => [lookupKeyOf(name, type), name]))
    const found = await this.list([...keys.keys()], true)
    const prices = new Map(found.map(({ lookup_key, id }) => [keys.get(lookup_key as string) as string, id]))
    const missing = names.filter((name) => !prices.has(name))
    if (missing.includes('seat'))
      throw new Problem(409, `Seats are not sold ${type} at the moment: the operator has to make a price at Stripe.`)
    if (missing.length === 0) return prices
    const message = `modules must not add ${missing.join(', ')}, which cannot be bought ${type} at the moment.`
    throw new ConstraintViolation([{ propertyPath: 'modules', message, code: 'isSold' }])
  }

  /** The products by which the lines of subscriptions are known; fetched only where their prices do not tell. */
  async productsFor(subscriptions: Stripe.Subscription[]): Promise<Products> {
    if (!subscriptions.some(({ items }) => needsProducts(items.data))) return new Map()
    if (!this.known || this.known.until < Date.now()) {
      const products = this.list(lookupKeys).then(productsOf)
      products.catch(() => {
        this.known = undefined
      })
      this.known = { products, until: Date.now() + freshness }
    }
    return this.known.products
  }

  private async list(keys: string[], active?: boolean): Promise<Stripe.Price[]> {
    const parts = Array.from({ length: Math.ceil(keys.length / most) }, (_, part) =>
      keys.slice(part * most, (part + 1) * most),
    )
    const lists = await Promise.all(
      parts.map((lookup_keys) =>
        requestStripe('list', this.stripe.prices.list({ lookup_keys, ...(active && { active }), limit: 100 })),
      ),
    )
    return lists.flatMap(({ data }) => data)
  }
}
