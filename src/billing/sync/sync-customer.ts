import type Stripe from 'stripe'
import { type EntityManager, In } from 'typeorm'
import { v7 as uuid, validate } from 'uuid'
import { Invoice, Organization, OrganizationAddress, PaymentMethod, Subscription } from '../../../entities/index.ts'
import { record } from '../../audit/audit-log.ts'
import { copyEntity, insertRow, Problem } from '../../hydra/index.ts'
import type { Billing } from '../billing.ts'
import * as mirror from '../stripe/from-stripe.ts'
import { recordSubscription } from '../subscription-audit.ts'
import { endDuplicate, endDuplicates } from './duplicate-subscriptions.ts'
import { fetchState, type StripeState } from './fetch-state.ts'
import { PartialSync } from './partial-sync.ts'
import { write } from './write.ts'

export interface FetchOptions {
  /** Invoices to look at though they may be old, by Stripe's ids. */
  invoices?: string[]
  /** Whether to look at all there are, and not only at the newest. */
  thorough?: boolean
  /** Whether a customer that Stripe does not know is taken for one that it has deleted. */
  unknown?: boolean
}

/**
 * Writes down what Stripe has of a customer: the one way in which Stripe's state comes here. Whoever calls it holds the
 * customer's lock from before the fetch until the writing is committed, so that nothing older overwrites anything newer.
 * @returns undefined where the customer is no organization of ours
 * @throws Overtaken when a request has written a row meanwhile; then it is to be done again
 */
export async function syncCustomer(
  manager: EntityManager,
  billing: Billing,
  customer: string,
  wish: FetchOptions = {},
): Promise<PartialSync | undefined> {
  const organization = await manager.findOneBy(Organization, { stripeCustomerId: customer })
  if (!organization) return undefined
  const pieces = new PartialSync()
  const own = { organizationId: organization.id }
  const before = await manager.find(Subscription, { where: own })
  const methodsBefore = await manager.find(PaymentMethod, { where: own })
  const state = await fetchState(billing, customer, wish)
  if (!state) {
    await forget(manager, organization, before)
    await deletePaymentMethods(manager, own.organizationId, methodsBefore)
    return pieces
  }
  if (state.skipped > 0) pieces.failures.push(new Problem(502, `${state.skipped} of Stripe's objects make no sense.`))
  const methods = await syncPaymentMethods(manager, own.organizationId, state, pieces)
  const { subscriptions, elders } = await endDuplicates(
    manager,
    billing,
    own.organizationId,
    endedFirst(state.subscriptions),
  )
  for (const found of subscriptions) {
    const standing = [...before]
    const context = { billing, own, standing, methods, products: state.products, elders, pieces }
    const written = await pieces.attempt(manager, (within) => syncSubscription({ ...context, manager: within }, found))
    if (written) before.splice(0, before.length, ...standing)
  }
  const left = new Set(state.paymentMethods.map(({ id }) => id))
  const gone = state.hasAllPaymentMethods ? methodsBefore.filter(({ externalId }) => !left.has(externalId)) : []
  await deletePaymentMethods(manager, own.organizationId, gone)
  const all = await pieces.attempt(manager, (within) => syncInvoices(within, own.organizationId, state.invoices))
  if (all) return pieces
  // One of them failed, so each is written on its own, and the reason is the one's.
  pieces.failures.pop()
  for (const found of state.invoices)
    await pieces.attempt(manager, (within) => syncInvoices(within, own.organizationId, [found]))
  return pieces
}

/** A customer that Stripe has deleted takes its subscriptions along, and is none that could be asked about again. */
async function forget(
  manager: EntityManager,
  organization: Organization,
  subscriptions: Subscription[],
): Promise<void> {
  // One without an id of Stripe's is being begun just now, for another customer.
  for (const before of subscriptions.filter(({ live, externalId }) => live && externalId)) {
    const after = copyEntity(before).end()
    await write(manager, before, after)
    await recordSubscription({ manager }, 'follow', before, after)
  }
  await write(manager, organization, Object.assign(copyEntity(organization), { stripeCustomerId: null }))
  const { id, stripeCustomerId } = organization
  await record({
    by: { manager, tenant: id },
    action: 'organization.follow',
    target: `/organizations/${id}`,
    changes: { stripeCustomerId: [stripeCustomerId, null] },
  })
}

async function syncPaymentMethods(
  manager: EntityManager,
  organizationId: string,
  { customer, paymentMethods }: StripeState,
  pieces: PartialSync,
): Promise<Map<string, string>> {
  const standing = await manager.find(PaymentMethod, { where: { organizationId } })
  const ids = new Map(standing.map(({ externalId, id }) => [externalId, id]))
  for (const found of paymentMethods) {
    const values = mirror.paymentMethodFrom(found, mirror.defaultPaymentMethodOf(customer))
    const before = standing.find(({ externalId }) => externalId === found.id)
    const made = Object.assign(new PaymentMethod(), { organizationId }, values)
    const written = await pieces.attempt(manager, async (within) => {
      if (before) await write(within, before, Object.assign(copyEntity(before), values))
      else await insertRow(within, made)
    })
    if (written && !before) ids.set(found.id, made.id)
  }
  return ids
}

/** What is no longer the customer's can be paid with no more; what has been attached since the fetch began is not among it. */
export async function deletePaymentMethods(
  manager: EntityManager,
  organizationId: string,
  gone: PaymentMethod[],
): Promise<void> {
  if (gone.length === 0) return
  const ids = gone.map(({ id }) => id)
  await manager.update(Subscription, { organizationId, paymentMethodId: In(ids) }, { paymentMethodId: null })
  await manager.delete(PaymentMethod, { organizationId, id: In(ids) })
}

/** So that a place is free before another is let into it: one live subscription is all there may be. */
function endedFirst(subscriptions: Stripe.Subscription[]): Stripe.Subscription[] {
  const isLive = ({ status }: Stripe.Subscription) => Number(!['canceled', 'incomplete_expired'].includes(status))
  return subscriptions.toSorted((one, other) => isLive(one) - isLive(other))
}

/** The organization, and its rows, while its subscriptions are written. */
interface Context {
  manager: EntityManager
  billing: Billing
  own: { organizationId: string }
  standing: Subscription[]
  methods: Map<string, string>
  products: StripeState['products']
  elders: Map<string, string>
  pieces: PartialSync
}

async function syncSubscription(context: Context, found: Stripe.Subscription): Promise<void> {
  const { manager, standing, methods, products, elders } = context
  const ours = mirror.localIdOf(found)
  const before =
    standing.find(({ externalId }) => externalId === found.id) ??
    standing.find(({ id, externalId }) => id === ours && (externalId === null || elders.get(externalId) === found.id))
  if (!before) return adopt(context, found)
  const after = copyEntity(before).applyStripeState(mirror.subscriptionFrom(found, methods, products))
  if (after.live) after.organizationAddressId ??= await addressFor(context, found)
  await write(manager, before, after)
  await recordSubscription({ manager }, 'follow', before, after)
  standing.splice(standing.indexOf(before), 1, after)
}

/**
 * Takes in a subscription that was not begun here, or was given up here before it was known that Stripe had begun it.
 * There is no place for a second live one. What was given up here is ended, as another has been begun since; whoever has
 * made it at Stripe by hand has to end one of them there.
 */
async function adopt(context: Context, found: Stripe.Subscription): Promise<void> {
  const { manager, billing, own, standing, methods, products } = context
  const { organizationId } = own
  const ours = mirror.localIdOf(found)
  const free = ours && validate(ours) && !(await manager.existsBy(Subscription, { id: ours }))
  const made = Object.assign(new Subscription(), own, mirror.subscriptionFrom(found, methods, products))
  const live = made.live && standing.find((one) => one.live)
  if (live) {
    const givenUp = free && live.externalId && found.metadata.organization === organizationId
    if (givenUp) await endDuplicate(manager, billing, organizationId, found, live.externalId)
    return
  }
  const organizationAddressId = await addressFor(context, found)
  Object.assign(made, { organizationAddressId, seats: made.seats ?? 1, id: free ? ours : uuid() })
  await insertRow(manager, made)
  await recordSubscription({ manager }, 'follow', undefined, made)
  standing.push(made)
}

/** The first billing address; null where there is none yet, which is told. */
async function addressFor({ manager, own, pieces }: Context, { id }: Stripe.Subscription): Promise<string | null> {
  const address = await manager.findOne(OrganizationAddress, {
    where: { ...own, kind: 'billing' },
    order: { id: 'ASC' },
  })
  if (!address) pieces.missingData.push(`The organization ${own.organizationId} has no billing address for ${id}.`)
  return address?.id ?? null
}

async function syncInvoices(manager: EntityManager, organizationId: string, invoices: Stripe.Invoice[]): Promise<void> {
  const standing = await manager.findBy(Invoice, { organizationId, externalId: In(invoices.map(({ id }) => id)) })
  const subscriptions = await manager.find(Subscription, { where: { organizationId } })
  for (const found of invoices) {
    const values = mirror.invoiceFrom(found)
    const before = standing.find(({ externalId }) => externalId === found.id)
    const subscription = subscriptions.find(({ externalId }) => externalId === mirror.subscriptionIdOf(found))
    if (before) await write(manager, before, Object.assign(copyEntity(before), values))
    else if (subscription) {
      // Named by the moment it was made at, so that ids sort as invoices do, whenever they come to be known.
      const createdAt = new Date(found.created * 1000)
      const id = uuid({ msecs: createdAt.getTime() })
      await insertRow(
        manager,
        Object.assign(new Invoice(), { id, createdAt, organizationId, subscriptionId: subscription.id }, values),
      )
    }
  }
}
