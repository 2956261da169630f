import type Stripe from 'stripe'
import type { Subscription } from '../../entities/index.ts'
import { endedStatuses } from '../../entities/subscription.ts'
import { ConstraintViolation, Problem } from '../hydra/index.ts'
import { localIdOf } from './stripe/from-stripe.ts'
import { Prices } from './stripe/prices.ts'
import { isLive, type StripeSettings, stripeClient } from './stripe/stripe-client.ts'
import { declinedPayment, requestStripe, withIdempotencyKeys } from './stripe/stripe-request.ts'
import { desiredQuantities, itemUpdates, missingItems } from './stripe/subscription-items.ts'

/** The fields that every request for a subscription expands, because `subscriptionFrom` reads them. */
export const subscriptionExpand = ['discounts.promotion_code']

/** The connection to a Stripe account, and the requests for subscriptions. Errors of Stripe are thrown as problems. */
export class Billing {
  readonly stripe: Stripe
  readonly live: boolean
  readonly publishableKey: string
  readonly webhookSecrets: string[]
  readonly prices: Prices

  constructor({ publishableKey, webhookSecrets, ...access }: StripeSettings) {
    this.stripe = stripeClient(access)
    this.live = isLive(access.secretKey)
    this.publishableKey = publishableKey
    this.webhookSecrets = webhookSecrets
    this.prices = new Prices(this.stripe)
  }

  /**
   * Creates a subscription. With a payment method Stripe charges it at once; without one the payment waits for confirmation.
   * @throws Problem 402 when the bank declines the payment; the subscription is then canceled again
   */
  async createSubscription(
    customer: string,
    subscription: Subscription,
    paymentMethod?: string,
  ): Promise<Stripe.Subscription> {
    const { id, organizationId, metadata } = subscription
    const quantities = desiredQuantities(subscription)
    const entries = metadata.filter(({ value }) => value !== '').map(({ name, value }) => [name, value])
    const params = {
      customer,
      items: itemUpdates(quantities, await this.prices.idsByName([...quantities.keys()], subscription.type)),
      metadata: { ...Object.fromEntries(entries), organization: organizationId, subscription: id },
      payment_settings: { save_default_payment_method: 'on_subscription' },
      ...(paymentMethod
        ? { default_payment_method: paymentMethod, payment_behavior: 'allow_incomplete', off_session: true }
        : { payment_behavior: 'default_incomplete' }),
      expand: subscriptionExpand,
    } satisfies Stripe.SubscriptionCreateParams
    const created = await withIdempotencyKeys(
      `subscription:${id}`,
      (options) =>
        requestStripe('subscription', this.stripe.subscriptions.create(params, options), {
          default_payment_method: 'paymentMethod',
          metadata: 'metadata',
          customer_tax_location_invalid: 'organizationAddress',
          amount_too_large: 'seats',
        }),
      async () => (await this.listLiveSubscriptions(customer)).findLast((one) => localIdOf(one) === id),
    )
    const decline = created.status === 'incomplete' && paymentMethod ? await this.declineOf(created) : undefined
    if (!decline) return created
    await this.cancelSubscription(created.id, true).catch(() => {})
    throw decline
  }

  retrieveSubscription(id: string): Promise<Stripe.Subscription> {
    return requestStripe('subscription', this.stripe.subscriptions.retrieve(id, { expand: subscriptionExpand }))
  }

  /**
   * Updates the seats, modules and payment method of a subscription; the next invoice settles the difference.
   * When another request adds or removes the same module at the same time, the update is retried.
   */
  async updateSubscription(
    after: Subscription,
    paymentMethod: string | undefined,
    key: string,
  ): Promise<Stripe.Subscription> {
    const quantities = desiredQuantities(after)
    const maxTries = 5
    for (let tries = 1; ; tries++)
      try {
        return await withIdempotencyKeys(`${key}:change:${tries}`, async (options) => {
          const found = await this.retrieveSubscription(after.externalId as string)
          const [{ data: items }, products] = [found.items, await this.prices.productsFor([found])]
          const prices = await this.prices.idsByName(missingItems(quantities, items, products), after.type)
          return requestStripe(
            'subscription',
            this.stripe.subscriptions.update(
              found.id,
              {
                items: itemUpdates(quantities, prices, items, products),
                ...(paymentMethod && { default_payment_method: paymentMethod }),
                proration_behavior: 'create_prorations',
                expand: subscriptionExpand,
              },
              options,
            ),
            { default_payment_method: 'paymentMethod', items: 'seats' },
          )
        })
      } catch (problem) {
        const isRace = problem instanceof ConstraintViolation && problem.violations[0].propertyPath === 'seats'
        if (!isRace || tries === maxTries) throw await this.endedOr(after.externalId as string, problem)
      }
  }

  /**
   * Cancels a subscription at once or at the end of the paid period. An ended subscription is returned as it is.
   * @param invoiceNow whether an immediate end charges pending prorations; Stripe drops them otherwise
   */
  async cancelSubscription(id: string, immediately: boolean, invoiceNow = false): Promise<Stripe.Subscription> {
    const { subscriptions } = this.stripe
    try {
      return await requestStripe(
        'subscription',
        immediately
          ? subscriptions.cancel(id, { invoice_now: invoiceNow, expand: subscriptionExpand })
          : subscriptions.update(id, { cancel_at_period_end: true, expand: subscriptionExpand }),
      )
    } catch (problem) {
      const found = await this.retrieveSubscription(id).catch(() => undefined)
      if (found && hasEnded(found)) return found
      throw problem
    }
  }

  async listLiveSubscriptions(customer: string): Promise<Stripe.Subscription[]> {
    const params = { customer, limit: 100, expand: expandInList(subscriptionExpand) }
    const { data } = await requestStripe('list', this.stripe.subscriptions.list(params), {
      customer: 'stripeCustomerId',
    })
    return data.filter((found) => !hasEnded(found))
  }

  /** Stripe refuses to change an ended subscription; then the error says so. Other problems are returned as they are. */
  async endedOr(id: string, problem: unknown): Promise<unknown> {
    const isUnclear = problem instanceof Problem && [409, 422, 502].includes(problem.status)
    const found = isUnclear ? await this.retrieveSubscription(id).catch(() => undefined) : undefined
    return found && hasEnded(found) ? new SubscriptionEnded() : problem
  }

  /** The problem when the bank declined the first payment; undefined when the bank only requires the holder's consent. */
  private async declineOf({ latest_invoice: latest }: Stripe.Subscription): Promise<Problem | undefined> {
    const invoice = typeof latest === 'string' ? latest : latest?.id
    if (!invoice) return undefined
    const { data } = await requestStripe(
      'list',
      this.stripe.invoicePayments.list({ invoice, limit: 1, expand: ['data.payment.payment_intent'] }),
    )
    const intent = data[0]?.payment.payment_intent
    if (typeof intent !== 'object' || intent.status !== 'requires_payment_method') return undefined
    const code = intent.last_payment_error?.decline_code ?? intent.last_payment_error?.code
    return code && code !== 'authentication_required' ? declinedPayment(code) : undefined
  }
}

/** The subscription has ended at Stripe, or Stripe does not know it. */
export class SubscriptionEnded extends Problem {
  constructor() {
    super(409, 'The subscription has ended at Stripe, so it cannot be changed. Create a new one.')
  }
}

export function hasEnded({ status }: Stripe.Subscription): boolean {
  return endedStatuses.includes(status)
}

/** The same fields, for a request that lists objects. */
export function expandInList(paths: string[]): string[] {
  return paths.map((path) => `data.${path}`)
}
