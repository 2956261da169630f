import { IsBoolean, ValidateIf } from 'class-validator'
import { Invoice, Organization, PaymentMethod, Subscription } from '../../../entities/index.ts'
import { changesBetween } from '../../audit/audit-log.ts'
import { applyStripeState, whileLive } from '../../billing/apply-stripe-subscription.ts'
import { type Billing, SubscriptionEnded } from '../../billing/billing.ts'

import { noPaymentDetails, payOpenInvoices, subscriptionPaymentDetails } from '../../billing/open-invoices.ts'
import { recordSubscription } from '../../billing/subscription-audit.ts'
import { checkSeats, requireSeats } from '../../billing/subscription-rules.ts'
import {
  type Call,
  ConstraintViolation,
  copyEntity,
  type Operation,
  Problem,
  readOperation,
  Unchanged,
  updateOperation,
} from '../../hydra/index.ts'

/** How to end a subscription. */
export class Cancellation {
  /** Now, instead of at the end of the period that is paid for. */
  @ValidateIf((_, value) => value !== undefined)
  @IsBoolean()
  immediately: boolean = false

  /** Whether an end now charges what changes of seats and modules have left to be settled, instead of dropping it. */
  @ValidateIf((_, value) => value !== undefined)
  @IsBoolean()
  invoiceNow: boolean = true
}

export const read = (billing: Billing): Operation<Subscription> => ({
  ...readOperation<Subscription>(),
  description:
    'While an invoice of it is open it carries the secret with which the browser confirms the payment, and the address of ' +
    'Stripe’s page for it.',
  handle: async (call) => reveal(billing, await call.show()),
})

/** The subscription with the ways to pay what it owes; what is kept here can be read though Stripe cannot. */
export async function reveal(billing: Billing, subscription: Subscription): Promise<Subscription> {
  const { canHaveOpenInvoice, externalId } = subscription
  return canHaveOpenInvoice
    ? subscription.showPayment(await subscriptionPaymentDetails(billing, `${externalId}`).catch(() => noPaymentDetails))
    : subscription
}

export const update = (billing: Billing): Operation<Subscription> => {
  const manual = updateOperation<Subscription>({
    prepare: ready,
    async alsoWrite(call, after, before) {
      await requireSeats(call, after)
      if (before) await recordSubscription(call, 'update', before, after)
    },
  })
  return {
    ...manual,
    description:
      'Through Stripe, the next invoice settles the difference. A payment method can be replaced, not taken off; a new one ' +
      'pays what is owed at once, and 402 says that the bank refused, so that nothing has changed.',
    writes: Object.fromEntries(['seats', 'modules', 'paymentMethod'].map((name) => [name, ['admin', 'owner']])),
    statuses: [...manual.statuses, 402],
    callsExternalService: true,
    async handle(call) {
      const before = await call.find()
      const organization = await call.get(Organization, call.tenant)
      if (organization.manualBilling) return manual.handle(call)
      call.match(before)
      const wish = await call.read(before, true, (draft) => ready(draft, call))
      if (Object.keys(changesBetween(call.manager, before, wish)).length === 0) return before
      const { awaiting } = requireSettled(before)
      if (awaiting) throw new Problem(409, 'A subscription can be changed after its first payment.')
      const method = wish.paymentMethodId === before.paymentMethodId ? undefined : await externalOf(call, wish)
      return whileLive(call, billing, before, async () => {
        if (method) await payOpenInvoices(billing, before.externalId as string, method, call.claim)
        const changed = await billing.updateSubscription(wish, method, call.claim)
        return reveal(billing, await applyStripeState(call, billing, 'update', before, changed))
      })
    },
  }
}

export const cancel = (billing: Billing): Operation<Subscription> => ({
  name: 'cancel',
  method: 'POST',
  path: '/:id/cancel',
  title: () => 'Cancels the subscription at the end of the period paid for, or at once',
  description:
    'One that has not been paid for yet ends at once. What changes of seats and modules have left to be settled is charged: ' +
    'with the last invoice, or at once when it ends at once, unless invoiceNow is false.',
  expects: Cancellation,
  returns: 'item',
  statuses: [200, 201, 400, 404, 409, 413, 415, 422],
  callsExternalService: true,
  link: { name: 'cancel', when: ({ live }: Subscription) => live },
  async handle(call) {
    const { immediately, invoiceNow } = await call.input(Cancellation)
    const subscription = await call.find()
    if (!subscription.live || (subscription.cancelAt && !immediately)) return new Unchanged(subscription)
    const organization = await call.get(Organization, call.tenant)
    if (organization.manualBilling) return change(call, 'cancel', subscription, (draft) => draft.cancel(immediately))
    const { externalId, awaiting } = requireSettled(subscription)
    return whileLive(call, billing, subscription, async () => {
      const ended = await billing.cancelSubscription(externalId, immediately || awaiting, invoiceNow && !awaiting)
      return applyStripeState(call, billing, 'cancel', subscription, ended)
    }).catch(async (problem) => {
      if (problem instanceof SubscriptionEnded) return new Unchanged(await call.get(Subscription, subscription.id))
      throw problem
    })
  },
})

/** The operator lets what is billed by hand begin. */
export const confirm: Operation<Subscription> = {
  name: 'confirm',
  method: 'POST',
  path: '/:id/confirm',
  title: () => 'Confirms a subscription that is billed by hand, so that it begins',
  returns: 'item',
  statuses: [200, 201, 404, 409],
  link: {
    name: 'confirmSubscription',
    on: Organization,
    when: ({ manualBilling, currentSubscriptionId, status }: Organization) =>
      manualBilling && currentSubscriptionId !== null && status !== 'closed',
    href: ({ currentSubscriptionId }: Organization) => `/subscriptions/${currentSubscriptionId}/confirm`,
  },
  async handle(call) {
    const subscription = await call.find()
    if (!subscription.live) throw new Problem(409, 'The subscription has ended, so it cannot be confirmed.')
    if (!subscription.awaiting) return new Unchanged(subscription)
    if (await call.manager.existsBy(Organization, { id: subscription.organizationId, status: 'closed' }))
      throw new Problem(409, 'The organization is closed: set its status to "active" first.')
    return change(call, 'confirm', subscription, (draft) => draft.confirm())
  },
}

export const invoices: Operation<Subscription> = {
  name: 'invoices',
  method: 'GET',
  path: '/:id/invoices',
  title: () => 'Lists the invoices of the subscription, newest first',
  description: 'Empty where an organization is billed by hand.',
  returns: 'collection',
  members: Invoice,
  statuses: [200, 304, 400, 404],
  link: { name: 'invoices' },
  async handle(call) {
    const { id } = await call.find()
    const its = { sql: '"invoice"."subscriptionId" = :subscription', values: { subscription: id } }
    return call.page(Invoice, [its], [{ property: 'id', descending: true }])
  },
}

function ready(draft: Subscription, call: Call<Subscription>) {
  if (!draft.live) throw new Problem(409, 'The subscription has ended: create a new one.')
  return checkSeats(draft, call)
}

/** What is not known at Stripe yet cannot be changed there. */
export function requireSettled(subscription: Subscription): { externalId: string; awaiting: boolean } {
  const { externalId, awaiting } = subscription
  if (externalId) return { externalId, awaiting }
  throw new Problem(409, 'It is being made at Stripe just now: try again in a minute.', { 'Retry-After': '60' })
}

/** What Stripe calls the payment method of a subscription. */
export async function externalOf(call: Call, { paymentMethodId, organizationId }: Subscription): Promise<string> {
  const method =
    paymentMethodId && (await call.manager.findOneBy(PaymentMethod, { id: paymentMethodId, organizationId }))
  if (method) return method.externalId
  const message = paymentMethodId
    ? 'paymentMethod is no longer known at Stripe: add it again.'
    : 'paymentMethod can be replaced by another, but not be taken off.'
  throw new ConstraintViolation([{ propertyPath: 'paymentMethod', message, code: 'isNotEmpty' }])
}

async function change(
  call: Call<Subscription>,
  verb: string,
  before: Subscription,
  act: (draft: Subscription) => void,
): Promise<Subscription> {
  const after = copyEntity(before)
  act(after)
  return call.transaction(async () => {
    await call.save(before, after)
    await recordSubscription(call, verb, before, after)
    return after
  })
}
