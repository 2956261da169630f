import type Stripe from 'stripe'
import type { Subscription } from '../../entities/index.ts'
import { endedStatuses } from '../../entities/subscription.ts'
import { ConstraintViolation, Problem } from '../hydra/model/problem.ts'
import { localIdOf } from './stripe/from-stripe.ts'
import { Prices } from './stripe/prices.ts'
import { isLive, type StripeSettings, stripeClient } from './stripe/stripe-client.ts'
import { declinedPayment, requestStripe, withIdempotencyKeys } from './stripe/stripe-request.ts'
import { desiredQuantities, itemUpdates, missingItems } from './stripe/subscription-items.ts'

/** What is asked for with every subscription, since what is shown is made of it. */
export const subscriptionExpand = ['discounts.promotion_code']

/** What we ask of Stripe: each method is one wish, said in Stripe's words. Problems are thrown in ours. */
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
   * Begins a subscription. With a payment method it is charged at once; without one it waits to be confirmed.
   * @throws Problem 402 when the payment is declined; then it has been ended again
   */
  async createSubscription(
    customer: string,
    subscription: Subscription,
    paymentMethod?: string,
  ): Promise<Stripe.Subscription> {
    const { id, organizationId, metadata } = subscription
    const wish = desiredQuantities(subscription)
    const notes = metadata.filter(({ value }) => value !== '').map(({ name, value }) => [name, value])
    const params = {
      customer,
      items: itemUpdates(wish, await this.prices.idsByName([...wish.keys()], subscription.type)),
      metadata: { ...Object.fromEntries(notes), organization: organizationId, subscription: id },
      payment_settings: { save_default_payment_method: 'on_subscription' },
      ...(paymentMethod
        ? { default_payment_method: paymentMethod, payment_behavior: 'allow_incomplete', off_session: true }
        : { payment_behavior: 'default_incomplete' }),
      expand: subscriptionExpand,
    } satisfies Stripe.SubscriptionCreateParams
    const made = await withIdempotencyKeys(
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
    const decline = made.status === 'incomplete' && paymentMethod ? await this.declineOf(made) : undefined
    if (!decline) return made
    await this.cancelSubscription(made.id, true).catch(() => {})
    throw decline
  }

  /** The subscription as it is now. */
  retrieveSubscription(id: string): Promise<Stripe.Subscription> {
    return requestStripe('subscription', this.stripe.subscriptions.retrieve(id, { expand: subscriptionExpand }))
  }

  /**
   * Moves a subscription to the seats, the modules and the payment method that are wanted; the next invoice has the difference.
   * Where somebody else adds or removes the same module meanwhile, it is looked at again.
   */
  async updateSubscription(
    after: Subscription,
    paymentMethod: string | undefined,
    key: string,
  ): Promise<Stripe.Subscription> {
    const wish = desiredQuantities(after)
    for (let tries = 1; ; tries++)
      try {
        return await withIdempotencyKeys(`${key}:change:${tries}`, async (options) => {
          const found = await this.retrieveSubscription(after.externalId as string)
          const [{ data: standing }, products] = [found.items, await this.prices.productsFor([found])]
          const prices = await this.prices.idsByName(missingItems(wish, standing, products), after.type)
          return requestStripe(
            'subscription',
            this.stripe.subscriptions.update(
              found.id,
              {
                items: itemUpdates(wish, prices, standing, products),
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
        const raced = problem instanceof ConstraintViolation && problem.violations[0].propertyPath === 'seats'
        if (!raced || tries === 5) return this.judge(after.externalId as string, problem)
      }
  }

  /**
   * Ends a subscription, now or with the period that is paid for; what has ended already is left as it is.
   * @param invoiceNow whether an end now charges pending prorations, which Stripe would drop
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
      const now = await this.retrieveSubscription(id).catch(() => undefined)
      if (now && hasEnded(now)) return now
      throw problem
    }
  }

  /** Puts a discount on a subscription, in place of all others; none takes them off. */
  setDiscount(id: string, code: Stripe.SubscriptionUpdateParams.Discount | undefined, key: string) {
    return withIdempotencyKeys(`${key}:discount`, (options) =>
      // An empty list would be left out of the request, and leave the discount on.
      requestStripe(
        'subscription',
        this.stripe.subscriptions.update(id, { discounts: code ? [code] : '', expand: subscriptionExpand }, options),
        {
          discounts: 'code',
        },
      ),
    ).catch((problem) => this.judge(id, problem))
  }

  /** What a code stands for: a customer's own promotion code, one for everybody, or a coupon; undefined for none of them. */
  async findDiscount(code: string, customer: string): Promise<Stripe.SubscriptionUpdateParams.Discount | undefined> {
    const { promotionCodes } = this.stripe
    // Customers may have codes of one text, so both kinds are asked for: the newest hundred of all may lack this customer's.
    const [own, all] = await Promise.all([
      requestStripe('list', promotionCodes.list({ code, active: true, customer, limit: 1 })),
      requestStripe('list', promotionCodes.list({ code, active: true, limit: 100 })),
    ])
    const promotion = own.data[0] ?? all.data.find((one) => !one.customer)
    if (promotion) return { promotion_code: promotion.id }
    const coupon = await requestStripe('coupon', this.stripe.coupons.retrieve(code), {
      '': 'code',
      coupon: 'code',
    }).catch((problem) => {
      if (problem instanceof ConstraintViolation) return undefined
      throw problem
    })
    return coupon?.valid ? { coupon: coupon.id } : undefined
  }

  /** What the browser hands a new payment method to Stripe with. */
  async createSetupIntent(customer: string, key: string): Promise<string | null> {
    const intent = await withIdempotencyKeys(`${key}:setup:${customer}`, (options) =>
      requestStripe('setup_intent', this.stripe.setupIntents.create({ customer, usage: 'off_session' }, options)),
    )
    return intent.client_secret
  }

  /** The live subscriptions that Stripe has of a customer. */
  async listLiveSubscriptions(customer: string): Promise<Stripe.Subscription[]> {
    const wish = { customer, limit: 100, expand: expandInList(subscriptionExpand) }
    const { data } = await requestStripe('list', this.stripe.subscriptions.list(wish), { customer: 'stripeCustomerId' })
    return data.filter((found) => !hasEnded(found))
  }

  /** Says what is wrong with a change: Stripe takes none of what has ended meanwhile. */
  private async judge(id: string, problem: unknown): Promise<never> {
    const puzzling = problem instanceof Problem && [409, 422, 502].includes(problem.status)
    const now = puzzling ? await this.retrieveSubscription(id).catch(() => undefined) : undefined
    throw now && hasEnded(now) ? new SubscriptionEnded() : problem
  }

  /** Why the first payment failed, if the bank refused it; a bank that asks for its holder's consent did not. */
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

/** A subscription that has ended at Stripe, or that Stripe does not know. */
export class SubscriptionEnded extends Problem {
  constructor() {
    super(409, 'The subscription has ended at Stripe, so it cannot be changed. Create a new one.')
  }
}

export function hasEnded({ status }: Stripe.Subscription): boolean {
  return endedStatuses.includes(status)
}

/** What is to be expanded of each object of a list. */
export function expandInList(paths: string[]): string[] {
  return paths.map((path) => `data.${path}`)
}
