import { In, IsNull, Not } from 'typeorm'
import type { VerbOn } from '../../entities/audit-actions.ts'
import { Organization, PaymentMethod, Subscription } from '../../entities/index.ts'
import { PaymentMethodSetup } from '../../entities/payment-method-setup.ts'
import { endedStatuses } from '../../entities/subscription.ts'
import { record } from '../audit/audit-log.ts'
import type { Billing } from '../billing/billing.ts'
import { paymentMethodFrom } from '../billing/stripe/from-stripe.ts'
import {
  attachPaymentMethod,
  createSetupIntent,
  detachPaymentMethod,
  makeDefaultPaymentMethod,
} from '../billing/stripe/payment-methods.ts'
import { withCustomer } from '../billing/sync/missing-customer.ts'
import { enqueueCustomerSync } from '../billing/sync/sync-customer-job.ts'
import { deletePaymentMethods } from '../billing/sync/sync-payment-methods.ts'
import {
  type Call,
  createEntity,
  createOperation,
  type Operation,
  Problem,
  removeOperation,
  Unchanged,
  writeRows,
} from '../hydra/index.ts'

export const setup = (billing: Billing): Operation<PaymentMethodSetup> => ({
  name: 'setup',
  method: 'POST',
  path: '',
  title: () => 'Set up a payment method',
  description:
    'Returns the client secret with which the browser sends a card or an account to Stripe. This API never receives card or ' +
    'account numbers. Not available with manual billing.',
  returns: 'item',
  statuses: [200, 409],
  callsExternalService: true,
  link: { name: 'setupPaymentMethod', on: Organization, when: ({ manualBilling }: Organization) => !manualBilling },
  secrets: {
    names: ['clientSecret'],
    async renew(call) {
      return { clientSecret: await setUp(call, billing) }
    },
  },
  async handle(call) {
    return new Unchanged(new PaymentMethodSetup(await setUp(call, billing), billing.publishableKey))
  },
})

export const create = (billing: Billing): Operation<PaymentMethod> => ({
  ...createOperation<PaymentMethod>({}),
  sets: ['type'],
  description: 'Takes the id that Stripe returned to the browser. The first payment method becomes the preferred one.',
  statuses: [200, 201, 400, 402, 409, 413, 415, 422],
  callsExternalService: true,
  async handle(call) {
    const own = { organizationId: call.tenant }
    const draft = await call.read(Object.assign(createEntity(PaymentMethod), own, { id: call.request.claim }), false)
    const organization = await requireStripeBilling(call)
    const known = await call.manager.findOneBy(PaymentMethod, { ...own, externalId: draft.externalId })
    if (known) return new Unchanged(known)
    return withCustomer(billing, call.manager, organization, async (customer) => {
      const found = await attachPaymentMethod(billing, draft.externalId, customer, call.request.claim)
      const isFirst = !(await call.manager.existsBy(PaymentMethod, own))
      if (isFirst) await makeDefaultPaymentMethod(billing, customer, found.id)
      return storePaymentMethod(
        call,
        Object.assign(draft, paymentMethodFrom(found, isFirst ? found.id : null)),
        customer,
      )
    })
  },
})

export const remove = (billing: Billing): Operation<PaymentMethod> => ({
  ...removeOperation<PaymentMethod>(),
  callsExternalService: true,
  description: 'Returns 409 while the live subscription is paid with it. Give the subscription another one first.',
  async handle(call) {
    const method = await call.find()
    call.request.checkPreconditions(method)
    if (await isPaidWith(call, method))
      throw new Problem(
        409,
        'The live subscription is paid with this payment method. Give the subscription another one first.',
      )
    const { stripeCustomerId } = await call.get(Organization, call.tenant)
    if (stripeCustomerId) await detachPaymentMethod(billing, method.externalId)
    return call.unitOfWork.transaction(async () => {
      await deletePaymentMethods(call.manager, call.tenant, [method])
      await recordPaymentMethod(call, 'remove', method, [method.name, null])
      if (stripeCustomerId) await enqueueCustomerSync(call.manager, stripeCustomerId)
      return undefined
    })
  },
})

async function setUp(call: Call, billing: Billing): Promise<string | null> {
  const organization = await requireStripeBilling(call)
  return withCustomer(billing, call.manager, organization, (customer) =>
    createSetupIntent(billing, customer, call.request.claim),
  )
}

/** Whether the live subscription is charged to it. A subscription without a payment method is charged to the preferred one. */
async function isPaidWith({ manager, tenant: organizationId }: Call, method: PaymentMethod): Promise<boolean> {
  const live = { organizationId, status: Not(In(endedStatuses)) }
  const named = { ...live, paymentMethodId: method.id }
  const unnamed = {
    organizationId,
    status: Not(In([...endedStatuses, 'incomplete'])),
    paymentMethodId: IsNull(),
  }
  return manager.existsBy(Subscription, method.preferred ? [named, unnamed] : named)
}

/** @returns the organization, when Stripe bills it */
async function requireStripeBilling(call: Call): Promise<Organization> {
  const organization = await call.get(Organization, call.tenant)
  if (organization.manualBilling)
    throw new Problem(409, 'The organization has manual billing. Payment methods require billing by Stripe.')
  return organization
}

/** Stores a payment method. When an event of Stripe has stored it first, returns that row. */
async function storePaymentMethod(
  call: Call<PaymentMethod>,
  method: PaymentMethod,
  customer: string,
): Promise<PaymentMethod> {
  return call.unitOfWork.transaction(async () => {
    const { organizationId, externalId } = method
    const values = { ...method, version: 1 } as never
    const { manager } = call
    const insert = manager.createQueryBuilder().insert().into(PaymentMethod).values(values).orIgnore()
    await writeRows(manager, insert.updateEntity(false))
    const stored = await manager.findOneByOrFail(PaymentMethod, { organizationId, externalId })
    await recordPaymentMethod(call, 'create', stored, [null, stored.name])
    await enqueueCustomerSync(manager, customer)
    return stored
  })
}

function recordPaymentMethod(
  call: Call,
  verb: VerbOn<'paymentMethod'>,
  { id }: PaymentMethod,
  name: [unknown, unknown],
): Promise<void> {
  return record({ by: call, action: `paymentMethod.${verb}`, target: `/payment-methods/${id}`, changes: { name } })
}
