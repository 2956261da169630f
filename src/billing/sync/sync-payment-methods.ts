import type { EntityManager } from 'typeorm'
import { PaymentMethod } from '../../../entities/index.ts'
import { copyEntity, insertRow, writeRows } from '../../hydra/index.ts'
import { clearPaymentMethods } from '../save-subscription.ts'
import { defaultPaymentMethodOf, paymentMethodFrom } from '../stripe/from-stripe.ts'
import type { StripeState } from './fetch-state.ts'
import type { PartialSync } from './partial-sync.ts'
import { saveRow } from './save-row.ts'

/**
 * Stores the payment methods of a customer.
 * @returns the ids of the organization's payment methods by Stripe's ids
 */
export async function syncPaymentMethods(
  manager: EntityManager,
  organizationId: string,
  { customer, paymentMethods }: StripeState,
  sync: PartialSync,
): Promise<Map<string, string>> {
  const rows = await manager.find(PaymentMethod, { where: { organizationId } })
  const ids = new Map(rows.map(({ externalId, id }) => [externalId, id]))
  for (const found of paymentMethods) {
    const values = paymentMethodFrom(found, defaultPaymentMethodOf(customer))
    const before = rows.find(({ externalId }) => externalId === found.id)
    const created = Object.assign(new PaymentMethod(), { organizationId }, values)
    const stored = await sync.attempt(manager, async (within) => {
      if (before) await saveRow(within, before, Object.assign(copyEntity(before), values))
      else await insertRow(within, created)
    })
    if (stored && !before) ids.set(found.id, created.id)
  }
  return ids
}

/** Deletes payment methods that are detached at Stripe, and the references to them. */
export async function deletePaymentMethods(
  manager: EntityManager,
  organizationId: string,
  detached: PaymentMethod[],
): Promise<void> {
  if (detached.length === 0) return
  const ids = detached.map(({ id }) => id)
  await clearPaymentMethods(manager, organizationId, ids)
  await writeRows(
    manager,
    PaymentMethod,
    `DELETE FROM "payment_method" WHERE "organizationId" = :organizationId AND "id" = ANY(:ids)`,
    { organizationId, ids },
  )
}
