import Stripe from 'stripe'
import type { EntityManager } from 'typeorm'
import { Organization, OrganizationAddress, Subscription } from '../../../../entities/index.ts'
import { insertSubscription } from '../../../../src/billing/save-subscription.ts'
import type { LocalStripe } from '../../../../src/emulators/stripe/server.ts'
import { insertRow } from '../../../../src/hydra/index.ts'
import type { SeededRandom } from './seeded-random.ts'

interface Customer {
  id: string
  organization: string
  /** The id of a pending row whose subscription is not created yet. */
  pending?: string
  change(): Promise<unknown>
}

const modules = ['planning', 'invoicing']

/** Organizations with customers at Stripe, and random changes of them at Stripe. */
export class Customers {
  readonly all: Customer[] = []
  changes = 0
  private prices = new Map<string, string>()

  constructor(
    private readonly client: Stripe,
    private readonly stripe: Pick<LocalStripe, 'advance'>,
    private readonly random: SeededRandom,
  ) {}

  async create(manager: EntityManager, count: number): Promise<void> {
    const { data } = await this.client.prices.list({ limit: 100 })
    this.prices = new Map(data.map(({ lookup_key, id }) => [String(lookup_key), id]))
    for (let position = 0; position < count; position++) await this.createCustomer(manager, position)
  }

  /** Makes one change of one customer, or lets time pass for all. */
  async change(): Promise<void> {
    this.changes += 1
    if (this.changes % 60 === 0) this.stripe.advance({ days: 3 + this.random.below(14), hours: this.random.below(24) })
    else
      await this.random
        .one(this.all)
        .change()
        .catch((error) => {
          // Stripe may refuse a change in the state of the customer; then nothing changes.
          if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) throw error
        })
  }

  /** Changes every customer; each change causes one event. */
  async changeAll(): Promise<void> {
    const description = String(this.random.next())
    for (const { id } of this.all) await this.client.customers.update(id, { description })
  }

  private async createCustomer(manager: EntityManager, position: number): Promise<void> {
    const organization = Object.assign(new Organization(), {
      name: `Customer ${position}`,
      slug: `customer-${position}`,
    })
    const { id } = await this.client.customers.create({ metadata: { organization: organization.id } })
    await insertRow(manager, Object.assign(organization, { stripeCustomerId: id }))
    const organizationId = organization.id
    const address = Object.assign(new OrganizationAddress(), { organizationId, kind: 'billing', name: 'Customer' })
    await insertRow(manager, Object.assign(address, { street: 'Damrak', city: 'Amsterdam', countryId: 'NL' }))
    const row = Object.assign(new Subscription(), { organizationId, organizationAddressId: address.id, seats: 1 })
    const isPending = position % 2 === 0
    if (isPending) await insertSubscription(manager, organization, row)
    const customer: Customer = { id, organization: organizationId, change: () => this.changeCustomer(customer) }
    if (isPending) customer.pending = row.id
    this.all.push(customer)
    await this.attach(customer, 'pm_card_visa')
    await this.subscribe(customer)
  }

  private async changeCustomer(customer: Customer): Promise<unknown> {
    const { client, random } = this
    const { data } = await client.subscriptions.list({ customer: customer.id, limit: 1 })
    const [subscription] = data
    if (!subscription) return this.subscribe(customer)
    const { id, cancel_at_period_end, items } = subscription
    const seat = items.data.find(({ price }) => price.lookup_key?.startsWith('seat_'))
    const roll = random.below(100)
    if (roll < 40) return client.subscriptions.update(id, { items: [{ id: seat?.id, quantity: 1 + random.below(50) }] })
    if (roll < 50) return client.subscriptions.update(id, { items: [this.toggled(items.data, seat)] })
    if (roll < 64) return client.subscriptions.update(id, { discounts: this.discount() })
    if (roll < 74) return client.subscriptions.update(id, { cancel_at_period_end: !cancel_at_period_end })
    if (roll < 84)
      return this.attach(customer, random.one(['pm_card_visa', 'pm_card_amex', 'pm_card_chargeCustomerFail']))
    if (roll < 90) return this.withMethod(customer, (method) => client.paymentMethods.detach(method))
    if (roll < 93) return this.withMethod(customer, (method) => this.prefer(customer, method))
    if (roll < 97)
      return this.withMethod(customer, (method) => client.subscriptions.update(id, { default_payment_method: method }))
    if (roll < 99)
      return this.withMethod(customer, (method) =>
        client.paymentMethods.update(method, { card: { exp_month: 1 + random.below(12) } }),
      )
    await client.subscriptions.cancel(id)
    return this.subscribe(customer)
  }

  private subscribe(customer: Customer): Promise<unknown> {
    const { client, random, prices } = this
    const type = random.one(['monthly', 'monthly', 'yearly'])
    const subscription = customer.pending
    delete customer.pending
    return this.withMethod(customer, (method) =>
      client.subscriptions.create({
        customer: customer.id,
        items: [{ price: prices.get(`seat_${type}`), quantity: 1 + random.below(50) }],
        metadata: { organization: customer.organization, ...(subscription && { subscription }) },
        ...(method ? { default_payment_method: method } : { payment_behavior: 'default_incomplete' }),
      }),
    )
  }

  /** Adds or removes a module. */
  private toggled(items: Stripe.SubscriptionItem[], seat?: Stripe.SubscriptionItem) {
    const key = `module_${this.random.one(modules)}_${seat?.price.recurring?.interval === 'year' ? 'yearly' : 'monthly'}`
    const existing = items.find(({ price }) => price.lookup_key === key)
    return existing ? { id: existing.id, deleted: true } : { price: this.prices.get(key) }
  }

  private discount() {
    const coupon = this.random.one(['LOYAL10', 'FIVEOFF', undefined, undefined])
    return coupon ? [{ coupon }] : ('' as const)
  }

  private async attach(customer: Customer, card: string): Promise<unknown> {
    const { id } = await this.client.paymentMethods.attach(card, { customer: customer.id })
    return this.random.below(2) && this.prefer(customer, id)
  }

  private prefer({ id }: Customer, method: string): Promise<unknown> {
    return this.client.customers.update(id, { invoice_settings: { default_payment_method: method } })
  }

  private async withMethod({ id }: Customer, work: (method: string) => Promise<unknown>): Promise<unknown> {
    const { data } = await this.client.customers.listPaymentMethods(id, { limit: 100 })
    return work(this.random.one(data)?.id)
  }
}
