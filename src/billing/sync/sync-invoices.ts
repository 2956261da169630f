import type Stripe from 'stripe'
import { type EntityManager, In } from 'typeorm'
import { v7 as uuid } from 'uuid'
import { Invoice, Subscription } from '../../../entities/index.ts'
import { copyEntity, insertRow } from '../../hydra/index.ts'
import { invoiceFrom, subscriptionIdOf } from '../stripe/from-stripe.ts'
import { saveRow } from './save-row.ts'

/** Stores the invoices of an organization's subscriptions; invoices of other subscriptions are skipped. */
export async function syncInvoices(
  manager: EntityManager,
  organizationId: string,
  invoices: Stripe.Invoice[],
): Promise<void> {
  const rows = await manager.findBy(Invoice, { organizationId, externalId: In(invoices.map(({ id }) => id)) })
  const subscriptions = await manager.find(Subscription, { where: { organizationId } })
  for (const found of invoices) {
    const values = invoiceFrom(found)
    const before = rows.find(({ externalId }) => externalId === found.id)
    const subscription = subscriptions.find(({ externalId }) => externalId === subscriptionIdOf(found))
    if (before) await saveRow(manager, before, Object.assign(copyEntity(before), values))
    else if (subscription) {
      // The id contains the time at which Stripe created the invoice, so invoices sort by that time.
      const createdAt = new Date(found.created * 1000)
      const id = uuid({ msecs: createdAt.getTime() })
      await insertRow(
        manager,
        Object.assign(new Invoice(), { id, createdAt, organizationId, subscriptionId: subscription.id }, values),
      )
    }
  }
}
