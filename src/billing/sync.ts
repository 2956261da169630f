import type Stripe from 'stripe'
import { type EntityManager, In } from 'typeorm'
import { v7 as uuid, validate } from 'uuid'
import { Invoice, Organization, OrganizationAddress, PaymentMethod, Subscription } from '../../entities/index.ts'
import { copy } from '../hydra/entity.ts'
import { insert } from '../hydra/writing.ts'
import type { Billing } from './billing.ts'
import { fetchState, type State } from './fetch.ts'
import * as mirror from './mirror.ts'
import { note, tell, write } from './writing.ts'

export interface Wish {
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
 * @returns whether the customer is an organization of ours
 * @throws Overtaken when a request has written a row meanwhile; then it is to be done again
 */
export async function syncCustomer(
  manager: EntityManager,
  billing: Billing,
  customer: string,
  wish: Wish = {},
): Promise<boolean> {
  const organization = await manager.findOneBy(Organization, { stripeCustomerId: customer })
  if (!organization) return false
  const own = { organizationId: organization.id }
  const before = await manager.find(Subscription, { where: own })
  const methodsBefore = await manager.find(PaymentMethod, { where: own })
  const state = await fetchState(billing, customer, wish)
  if (!state) {
    await forget(manager, organization, before)
    await removePaymentMethods(manager, own.organizationId, methodsBefore)
    return true
  }
  const methods = await syncPaymentMethods(manager, own.organizationId, state)
  for (const found of endedFirst(state.subscriptions))
    await syncSubscription(manager, own.organizationId, before, found, { methods, products: state.products })
  const left = new Set(state.paymentMethods.map(({ id }) => id))
  const gone = state.allMethods ? methodsBefore.filter(({ externalId }) => !left.has(externalId)) : []
  await removePaymentMethods(manager, own.organizationId, gone)
  await syncInvoices(manager, own.organizationId, state.invoices)
  return true
}

/** A customer that Stripe has deleted takes its subscriptions along, and is none that could be asked about again. */
async function forget(
  manager: EntityManager,
  organization: Organization,
  subscriptions: Subscription[],
): Promise<void> {
  // One without an id of Stripe's is being begun just now, for another customer.
  for (const before of subscriptions.filter(({ live, externalId }) => live && externalId)) {
    const after = copy(before).end()
    await write(manager, before, after)
    await note(manager, before, after)
  }
  await write(manager, organization, Object.assign(copy(organization), { stripeCustomerId: null }))
  const { id, stripeCustomerId } = organization
  await tell(manager, id, 'organization.follow', `/organizations/${id}`, { stripeCustomerId: [stripeCustomerId, null] })
}

async function syncPaymentMethods(
  manager: EntityManager,
  organizationId: string,
  { customer, paymentMethods }: State,
): Promise<Map<string, string>> {
  const standing = await manager.find(PaymentMethod, { where: { organizationId } })
  const ids = new Map(standing.map(({ externalId, id }) => [externalId, id]))
  for (const found of paymentMethods) {
    const values = mirror.paymentMethodFrom(found, mirror.preferredOf(customer))
    const before = standing.find(({ externalId }) => externalId === found.id)
    if (before) await write(manager, before, Object.assign(copy(before), values))
    else {
      const made = Object.assign(new PaymentMethod(), { organizationId }, values)
      await insert(manager, made)
      ids.set(found.id, made.id)
    }
  }
  return ids
}

/** What is no longer the customer's can be paid with no more; what has been attached since the fetch began is not among it. */
export async function removePaymentMethods(
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

async function syncSubscription(
  manager: EntityManager,
  organizationId: string,
  standing: Subscription[],
  found: Stripe.Subscription,
  { methods, products }: { methods: Map<string, string>; products: State['products'] },
): Promise<void> {
  const ours = mirror.ourIdOf(found)
  const before =
    standing.find(({ externalId }) => externalId === found.id) ??
    standing.find(({ id, externalId }) => id === ours && externalId === null)
  const state = mirror.subscriptionFrom(found, methods, products)
  if (!before)
    return adopt(manager, organizationId, standing, Object.assign(new Subscription(), { organizationId }, state), ours)
  const after = copy(before).follow(state)
  await write(manager, before, after)
  await note(manager, before, after)
  standing.splice(standing.indexOf(before), 1, after)
}

/**
 * Takes in a subscription that was not begun here, or was given up here before it was known that Stripe had begun it.
 * There is no place for a second live one: whoever has made it at Stripe by hand has to end one of them there.
 */
async function adopt(
  manager: EntityManager,
  organizationId: string,
  standing: Subscription[],
  found: Subscription,
  ours: string | undefined,
): Promise<void> {
  if (found.live && standing.some(({ live }) => live)) return
  const address = await manager.findOne(OrganizationAddress, {
    where: { organizationId, kind: 'billing' },
    order: { id: 'ASC' },
  })
  if (!address) throw new Error(`The organization ${organizationId} has no billing address for ${found.externalId}.`)
  const free = ours && validate(ours) && !(await manager.existsBy(Subscription, { id: ours }))
  Object.assign(found, { organizationAddressId: address.id, seats: found.seats ?? 1, id: free ? ours : uuid() })
  await insert(manager, found)
  await note(manager, undefined, found)
  standing.push(found)
}

async function syncInvoices(manager: EntityManager, organizationId: string, invoices: Stripe.Invoice[]): Promise<void> {
  const standing = await manager.findBy(Invoice, { organizationId, externalId: In(invoices.map(({ id }) => id)) })
  const subscriptions = await manager.find(Subscription, { where: { organizationId } })
  for (const found of invoices) {
    const values = mirror.invoiceFrom(found)
    const before = standing.find(({ externalId }) => externalId === found.id)
    const subscription = subscriptions.find(({ externalId }) => externalId === mirror.subscriptionOf(found))
    if (before) await write(manager, before, Object.assign(copy(before), values))
    else if (subscription) {
      // Named by the moment it was made at, so that ids sort as invoices do, whenever they come to be known.
      const createdAt = new Date(found.created * 1000)
      const id = uuid({ msecs: createdAt.getTime() })
      await insert(
        manager,
        Object.assign(new Invoice(), { id, createdAt, organizationId, subscriptionId: subscription.id }, values),
      )
    }
  }
}
