import type { DataSource } from 'typeorm'
import { Employee, Organization, OrganizationAddress, Subscription } from '../../entities/index.ts'
import type { Billing } from '../billing/billing.ts'
import { sendCustomerProfile } from '../billing/customer-profile.ts'
import { insertSubscription } from '../billing/save-subscription.ts'
import { findOrCreateCustomer } from '../billing/stripe/customers.ts'
import { attachPaymentMethod, makeDefaultPaymentMethod } from '../billing/stripe/payment-methods.ts'
import { enqueueCustomerSync } from '../billing/sync/sync-customer-job.ts'
import { lockOrganization } from '../postgres/locks.ts'

/** Creates a subscription at the local Stripe for each demo organization that has none. */
export async function subscribeDemo(database: DataSource, billing: Billing): Promise<void> {
  const { manager } = database
  for (const organization of await manager.findBy(Organization, { demo: true, manualBilling: false })) {
    const own = { organizationId: organization.id }
    const address = await manager.findOneBy(OrganizationAddress, { ...own, kind: 'billing' })
    if (!address || (await manager.existsBy(Subscription, own))) continue
    const seats = await manager.countBy(Employee, own)
    const subscription = new Subscription()
    Object.assign(subscription, own, { organizationAddressId: address.id, seats, modules: ['planning', 'banking'] })
    const customer = await findOrCreateCustomer(billing, manager, organization)
    await sendCustomerProfile(billing, manager, customer, subscription)
    const card = await attachPaymentMethod(billing, 'pm_card_visa', customer, subscription.id)
    await makeDefaultPaymentMethod(billing, customer, card.id)
    await manager.transaction(async (within) =>
      insertSubscription(within, await lockOrganization(within, organization.id), subscription),
    )
    await billing.createSubscription(customer, subscription, card.id)
    await enqueueCustomerSync(manager, customer)
  }
}
