import { IsBoolean, ValidateIf } from 'class-validator'
import type { VerbOn } from '../../../entities/audit-actions.ts'
import { Invoice, Organization, Subscription } from '../../../entities/index.ts'
import { changesBetween } from '../../audit/audit-log.ts'
import { applyStripeSubscription, whileLive } from '../../billing/apply-stripe-subscription.ts'
import { type Billing, SubscriptionEnded } from '../../billing/billing.ts'
import { payOpenInvoices, withPaymentDetails } from '../../billing/open-invoices.ts'
import { saveSubscription } from '../../billing/save-subscription.ts'
import { recordSubscription } from '../../billing/subscription-audit.ts'
import { checkSeats, requireExternalId, requirePaymentMethod, requireSeats } from '../../billing/subscription-rules.ts'
import { type Call, copyEntity, type Operation, Problem, readOperation, Unchanged } from '../../hydra/index.ts'

/** The body of a cancellation. */
export class Cancellation {
  /** Ends the subscription now instead of at the end of the paid period. */
  @ValidateIf((_, value) => value !== undefined)
  @IsBoolean()
  immediately: boolean = false

  /** Whether an immediate end charges the pending differences of changed seats and modules; Stripe drops them otherwise. */
  @ValidateIf((_, value) => value !== undefined)
  @IsBoolean()
  invoiceNow: boolean = true
}

export const read = (billing: Billing): Operation<Subscription> => ({
  ...readOperation<Subscription>(),
  description:
    'While an invoice is open, the subscription has a `confirmationSecret`, with which the browser confirms the payment. ' +
    'Its `hostedInvoiceUrl` is Stripe’s page for that invoice.',
  handle: async (call) => withPaymentDetails(billing, await call.show()),
})

export const update = (billing: Billing): Operation<Subscription> => ({
  name: 'update',
  method: 'PATCH',
  path: '/:id',
  title: () => 'Update a subscription',
  consequence: 'bills',
  expects: 'self',
  returns: 'item',
  description:
    'With Stripe billing, the next invoice settles the difference. A payment method can be replaced, but not removed. A new ' +
    'one pays the open invoices at once; 402 means that the bank declined and nothing has changed.',
  writes: Object.fromEntries(['seats', 'modules', 'paymentMethod'].map((name) => [name, ['admin', 'owner']])),
  statuses: [200, 400, 402, 404, 409, 412, 413, 415, 422],
  callsExternalService: true,
  async handle(call) {
    const before = await call.find()
    const organization = await call.get(Organization, call.tenant)
    call.request.checkPreconditions(before)
    const desired = await call.read(before, true, (draft) => checkChange(draft, call))
    if (organization.manualBilling) return change(call, 'update', before, desired, () => requireSeats(call, desired))
    if (Object.keys(changesBetween(call.manager, before, desired)).length === 0) return before
    const externalId = requireExternalId(before)
    if (before.awaiting) throw new Problem(409, 'A subscription can be changed after its first payment.')
    const method =
      desired.paymentMethodId === before.paymentMethodId ? undefined : await requirePaymentMethod(call, desired)
    return whileLive(call, billing, before, async () => {
      if (method) await payOpenInvoices(billing, externalId, method, call.request.claim)
      const changed = await billing.updateSubscription(desired, method, call.request.claim)
      return withPaymentDetails(billing, await applyStripeSubscription(call, billing, 'update', before, changed))
    })
  },
})

export const cancel = (billing: Billing): Operation<Subscription> => ({
  name: 'cancel',
  method: 'POST',
  path: '/:id/cancel',
  title: () => 'Cancel a subscription',
  consequence: 'destroys',
  description:
    'The subscription ends with the paid period, or at once when `immediately` is true. An incomplete subscription always ' +
    'ends at once. Pending differences of changed seats and modules are charged with the last invoice, or at once with an ' +
    'immediate end. When `invoiceNow` is false, an immediate end drops them.',
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
    if (organization.manualBilling)
      return change(call, 'cancel', subscription, copyEntity(subscription).cancel(immediately))
    const externalId = requireExternalId(subscription)
    const { awaiting } = subscription
    return whileLive(call, billing, subscription, async () => {
      const ended = await billing.cancelSubscription(externalId, immediately || awaiting, invoiceNow && !awaiting)
      return applyStripeSubscription(call, billing, 'cancel', subscription, ended)
    }).catch(async (problem) => {
      if (problem instanceof SubscriptionEnded) return new Unchanged(await call.get(Subscription, subscription.id))
      throw problem
    })
  },
})

/** The operator confirms a manually billed subscription. */
export const confirm: Operation<Subscription> = {
  name: 'confirm',
  method: 'POST',
  path: '/:id/confirm',
  title: () => 'Confirm a manually billed subscription',
  consequence: 'bills',
  returns: 'item',
  statuses: [200, 201, 404, 409],
  link: {
    name: 'confirmSubscription',
    on: Organization,
    when: ({ manualBilling, currentSubscriptionId, status }: Organization) =>
      manualBilling && Boolean(currentSubscriptionId) && status !== 'closed',
    href: ({ currentSubscriptionId }: Organization) => `/subscriptions/${currentSubscriptionId}/confirm`,
  },
  async handle(call) {
    const subscription = await call.find()
    if (!subscription.live) throw new Problem(409, 'The subscription has ended, so it cannot be confirmed.')
    if (!subscription.awaiting) return new Unchanged(subscription)
    if (await call.manager.existsBy(Organization, { id: subscription.organizationId, status: 'closed' }))
      throw new Problem(409, 'The organization is closed: set its status to "active" first.')
    return change(call, 'confirm', subscription, copyEntity(subscription).confirm())
  },
}

export const invoices: Operation<Subscription> = {
  name: 'invoices',
  method: 'GET',
  path: '/:id/invoices',
  title: () => 'List the invoices of a subscription',
  description: 'The newest invoice comes first. The collection is empty with manual billing.',
  returns: 'collection',
  members: Invoice,
  statuses: [200, 304, 400, 404],
  link: { name: 'invoices' },
  async handle(call) {
    const { id } = await call.find()
    const ofSubscription = { sql: '"invoice"."subscriptionId" = :subscription', values: { subscription: id } }
    return call.page(Invoice, [ofSubscription], [{ property: 'id', descending: true }])
  },
}

function checkChange(draft: Subscription, call: Call<Subscription>) {
  if (!draft.live) throw new Problem(409, 'The subscription has ended. Create a new one.')
  return checkSeats(draft, call)
}

/** @param check throws where the change is not allowed; it runs in the transaction, before the write */
function change(
  call: Call<Subscription>,
  verb: VerbOn<'subscription'>,
  before: Subscription,
  after: Subscription,
  check = async (): Promise<unknown> => undefined,
): Promise<Subscription> {
  return call.unitOfWork.transaction(async () => {
    await check()
    await saveSubscription(call.manager, before, after)
    await recordSubscription(call, verb, before, after)
    return after
  })
}
