import { IsBoolean, ValidateIf } from 'class-validator'
import { Invoice, Organization, Subscription } from '../../entities/index.ts'
import type { Call } from '../hydra/call.ts'
import { creating, updating } from '../hydra/crud.ts'
import { copy, make } from '../hydra/entity.ts'
import { type Operation, Unchanged } from '../hydra/operation.ts'
import { Problem } from '../hydra/problem.ts'
import { record } from './audit.ts'
import { complete, fewSeats } from './subscription-defaults.ts'

/** How to end a subscription. */
export class Cancellation {
  /** Now, instead of at the end of the period that is paid for. */
  @ValidateIf((_, value) => value !== undefined)
  @IsBoolean()
  immediately: boolean = false
}

export const create: Operation<Subscription> = {
  ...creating<Subscription>({}),
  description:
    'Everything has a default: your organization, its only billing address, monthly, a seat for every member and pending invitation. ' +
    'Billed by hand, it awaits the operator; through Stripe it cannot be had yet and answers 503.',
  statuses: [201, 400, 409, 413, 415, 422],
  async handle(call) {
    const blank = Object.assign(make(Subscription), { organizationId: call.organization })
    const subscription = await call.read(blank, false, (draft) => complete(draft, call))
    const organization = await call.get(Organization, call.organization)
    if (organization.currentSubscriptionId)
      throw new Problem(409, 'The organization has a live subscription already: change it, or cancel it first.')
    requireManual(organization)
    return call.transaction(async () => {
      await call.insert(subscription)
      await note(call, 'create', subscription, {
        status: [null, subscription.status],
        seats: [null, subscription.seats],
      })
      return subscription
    })
  },
}

export const update = updating<Subscription>({
  writes: Object.fromEntries(['seats', 'modules', 'paymentMethod'].map((name) => [name, ['admin', 'owner']])),
  async prepare(draft, call) {
    requireManual(await call.get(Organization, call.organization))
    if (!draft.live) throw new Problem(409, 'It has ended: make a new one.')
    return fewSeats(draft, call)
  },
  async along(call, after, before) {
    if (before) await note(call, 'update', after, call.changes(before, after))
  },
})

export const cancel: Operation<Subscription> = {
  name: 'cancel',
  method: 'POST',
  path: '/:id/cancel',
  title: () => 'Cancels the subscription at the end of the period paid for, or at once',
  expects: Cancellation,
  returns: 'item',
  statuses: [200, 201, 400, 404, 409, 413, 415, 422],
  link: { name: 'cancel', when: ({ live }: Subscription) => live },
  async handle(call) {
    const { immediately } = await call.input(Cancellation)
    const subscription = await call.find()
    if (!subscription.live || (subscription.cancelAt && !immediately)) return new Unchanged(subscription)
    requireManual(await call.get(Organization, call.organization))
    return change(call, 'cancel', subscription, (draft) => draft.cancel(immediately))
  },
}

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
    when: ({ manualBilling, currentSubscriptionId }: Organization) => manualBilling && currentSubscriptionId !== null,
    href: ({ currentSubscriptionId }: Organization) => `/subscriptions/${currentSubscriptionId}/confirm`,
  },
  async handle(call) {
    const subscription = await call.find()
    if (!subscription.live) throw new Problem(409, 'It has ended, so it cannot be confirmed.')
    if (!subscription.awaiting) return new Unchanged(subscription)
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

/** What goes through Stripe has to wait until this server speaks to it. */
export function requireManual({ manualBilling }: Organization): void {
  if (!manualBilling)
    throw new Problem(
      503,
      'This goes through Stripe, which this server does not speak to yet; only organizations billed by hand can subscribe.',
    )
}

async function change(
  call: Call<Subscription>,
  verb: string,
  before: Subscription,
  act: (draft: Subscription) => void,
): Promise<Subscription> {
  const after = copy(before)
  act(after)
  return call.transaction(async () => {
    await call.save(before, after)
    await note(call, verb, after, call.changes(before, after))
    return after
  })
}

function note(
  call: Call,
  verb: string,
  { id, organizationId }: Subscription,
  changes: Record<string, [unknown, unknown]>,
): Promise<void> {
  return record(call, `subscription.${verb}`, `/subscriptions/${id}`, changes, organizationId)
}
