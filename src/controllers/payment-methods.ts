import { In, IsNull, Not } from 'typeorm'
import { Organization, PaymentMethod, Subscription } from '../../entities/index.ts'
import { PaymentMethodSetup } from '../../entities/payment-method-setup.ts'
import { endedStatuses } from '../../entities/subscription.ts'
import { record } from '../audit/audit-log.ts'
import type { Billing } from '../billing/billing.ts'
import { paymentMethodFrom } from '../billing/stripe/from-stripe.ts'
import {
  attachPaymentMethod,
  detachPaymentMethod,
  makeDefaultPaymentMethod,
} from '../billing/stripe/payment-methods.ts'
import { withCustomer } from '../billing/sync/missing-customer.ts'
import { enqueueCustomerSync } from '../billing/sync/sync-customer-job.ts'
import {
  type Call,
  createEntity,
  createOperation,
  type Operation,
  Problem,
  removeOperation,
  Unchanged,
} from '../hydra/index.ts'

export const setup = (billing: Billing): Operation<PaymentMethodSetup> => ({
  name: 'setup',
  method: 'POST',
  path: '',
  title: () => 'Begins to set up a payment method: gives what the browser needs to hand it to Stripe',
  description: 'Neither card numbers nor account numbers come here. Not for organizations billed by hand.',
  returns: 'item',
  statuses: [200, 409],
  callsExternalService: true,
  link: { name: 'setupPaymentMethod', on: Organization, when: ({ manualBilling }: Organization) => !manualBilling },
  secrets: {
    names: ['clientSecret'],
    async renew(call) {
      return { clientSecret: await begin(call, billing) }
    },
  },
  async handle(call) {
    return new Unchanged(new PaymentMethodSetup(await begin(call, billing), billing.publishableKey))
  },
})

export const create = (billing: Billing): Operation<PaymentMethod> => ({
  ...createOperation<PaymentMethod>({}),
  description: 'Takes the id that Stripe gave the browser. The first one becomes the preferred one.',
  statuses: [200, 201, 400, 402, 409, 413, 415, 422],
  callsExternalService: true,
  async handle(call) {
    const own = { organizationId: call.tenant }
    const draft = await call.read(Object.assign(createEntity(PaymentMethod), own, { id: call.claim }), false)
    const organization = await atStripe(call)
    const known = await call.manager.findOneBy(PaymentMethod, { ...own, externalId: draft.externalId })
    if (known) return new Unchanged(known)
    return withCustomer(billing, call.manager, organization, async (customer) => {
      const found = await attachPaymentMethod(billing, draft.externalId, customer, call.claim)
      const first = !(await call.manager.existsBy(PaymentMethod, own))
      if (first) await makeDefaultPaymentMethod(billing, customer, found.id)
      return keep(call, Object.assign(draft, paymentMethodFrom(found, first ? found.id : null)), customer)
    })
  },
})

export const remove = (billing: Billing): Operation<PaymentMethod> => ({
  ...removeOperation<PaymentMethod>(),
  callsExternalService: true,
  description: 'Not while the live subscription is paid with it: name another there first.',
  async handle(call) {
    const method = await call.find()
    call.match(method)
    const own = { organizationId: call.tenant }
    if (await isPaidWith(call, method))
      throw new Problem(409, 'The subscription is paid with it: give that another payment method first.')
    const { stripeCustomerId } = await call.get(Organization, call.tenant)
    if (stripeCustomerId) await detachPaymentMethod(billing, method.externalId)
    return call.transaction(async () => {
      await call.manager.update(Subscription, { ...own, paymentMethodId: method.id }, { paymentMethodId: null })
      await call.manager.delete(PaymentMethod, { ...own, id: method.id })
      await recordPaymentMethod(call, 'remove', method, [method.name, null])
      if (stripeCustomerId) await enqueueCustomerSync(call.manager, stripeCustomerId)
      return undefined
    })
  },
})

async function begin(call: Call, billing: Billing): Promise<string | null> {
  const organization = await atStripe(call)
  return withCustomer(billing, call.manager, organization, (customer) =>
    billing.createSetupIntent(customer, call.claim),
  )
}

/** Whether the live subscription is charged to it: what names no payment method is charged to the preferred one. */
async function isPaidWith({ manager, organization: organizationId }: Call, method: PaymentMethod): Promise<boolean> {
  const live = { organizationId, status: Not(In(endedStatuses)) }
  const named = { ...live, paymentMethodId: method.id }
  const unnamed = {
    organizationId,
    status: Not(In([...endedStatuses, 'incomplete'])),
    paymentMethodId: IsNull(),
  }
  return manager.existsBy(Subscription, method.preferred ? [named, unnamed] : named)
}

/** The organization, if it is billed through Stripe. */
async function atStripe(call: Call): Promise<Organization> {
  const organization = await call.get(Organization, call.tenant)
  if (organization.manualBilling)
    throw new Problem(409, 'The organization is billed by hand: there is nothing to pay with here.')
  return organization
}

/** An event of Stripe's may have brought it here first; then it is that one. */
async function keep(call: Call<PaymentMethod>, method: PaymentMethod, customer: string): Promise<PaymentMethod> {
  return call.transaction(async () => {
    const { organizationId, externalId } = method
    const values = { ...method, version: 1 } as never
    await call.manager
      .createQueryBuilder()
      .insert()
      .into(PaymentMethod)
      .values(values)
      .orIgnore()
      .updateEntity(false)
      .execute()
    const kept = await call.manager.findOneByOrFail(PaymentMethod, { organizationId, externalId })
    await recordPaymentMethod(call, 'create', kept, [null, kept.name])
    await enqueueCustomerSync(call.manager, customer)
    return kept
  })
}

function recordPaymentMethod(call: Call, verb: string, { id }: PaymentMethod, name: [unknown, unknown]): Promise<void> {
  return record({ by: call, action: `paymentMethod.${verb}`, target: `/payment-methods/${id}`, changes: { name } })
}
