import type Stripe from 'stripe'
import { type EntityManager, In } from 'typeorm'
import { v7 as uuid, validate } from 'uuid'
import { Invoice, Organization, OrganizationAddress, PaymentMethod, Subscription } from '../../entities/index.ts'
import { copy } from '../hydra/entity.ts'
import { insert } from '../hydra/writing.ts'
import type { Billing } from './billing.ts'
import { endDuplicate, endDuplicates } from './duplicates.ts'
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
  const { subscriptions, elders } = await endDuplicates(
    manager,
    billing,
    own.organizationId,
    endedFirst(state.subscriptions),
  )
  for (const found of subscriptions)
    await syncSubscription(
      { manager, billing, own, standing: before, methods, products: state.products, elders },
      found,
    )
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

/** What is known of an organization while its subscriptions are written down. */
interface Scene {
  manager: EntityManager
  billing: Billing
  own: { organizationId: string }
  standing: Subscription[]
  methods: Map<string, string>
  products: State['products']
  elders: Map<string, string>
}

async function syncSubscription(scene: Scene, found: Stripe.Subscription): Promise<void> {
  const { manager, standing, methods, products, elders } = scene
  const ours = mirror.ourIdOf(found)
  const before =
    standing.find(({ externalId }) => externalId === found.id) ??
    standing.find(({ id, externalId }) => id === ours && (externalId === null || elders.get(externalId) === found.id))
  if (!before) return adopt(scene, found)
  const after = copy(before).follow(mirror.subscriptionFrom(found, methods, products))
  await write(manager, before, after)
  await note(manager, before, after)
  standing.splice(standing.indexOf(before), 1, after)
}

/**
 * Takes in a subscription that was not begun here, or was given up here before it was known that Stripe had begun it.
 * There is no place for a second live one. What was given up here is ended, as another has been begun since; whoever has
 * made it at Stripe by hand has to end one of them there.
 */
async function adopt(
  { manager, billing, own, standing, methods, products }: Scene,
  found: Stripe.Subscription,
): Promise<void> {
  const { organizationId } = own
  const ours = mirror.ourIdOf(found)
  const free = ours && validate(ours) && !(await manager.existsBy(Subscription, { id: ours }))
  const made = Object.assign(new Subscription(), own, mirror.subscriptionFrom(found, methods, products))
  const live = made.live && standing.find((one) => one.live)
  if (live) {
    const givenUp = free && live.externalId && found.metadata.organization === organizationId
    if (givenUp) await endDuplicate(manager, billing, organizationId, found, live.externalId)
    return
  }
  const address = await manager.findOne(OrganizationAddress, {
    where: { organizationId, kind: 'billing' },
    order: { id: 'ASC' },
  })
  if (!address) throw new Error(`The organization ${organizationId} has no billing address for ${found.id}.`)
  Object.assign(made, { organizationAddressId: address.id, seats: made.seats ?? 1, id: free ? ours : uuid() })
  await insert(manager, made)
  await note(manager, undefined, made)
  standing.push(made)
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
