import { Type } from 'class-transformer'
import { IsOptional } from 'class-validator'
import { Invoice, Organization, PaymentMethod } from '../../entities/index.ts'
import { changesBetween, record } from '../audit/audit-log.ts'
import type { Billing } from '../billing/billing.ts'
import { invoicePaymentDetails, noPaymentDetails, payInvoice as payAtStripe } from '../billing/open-invoices.ts'
import { invoiceFrom } from '../billing/stripe/from-stripe.ts'
import { enqueueCustomerSync } from '../billing/sync/sync-customer-job.ts'
import {
  type Call,
  copyEntity,
  type Operation,
  Problem,
  readOperation,
  Unchanged,
  VersionConflict,
} from '../hydra/index.ts'

/** The body of a payment. */
export class InvoicePayment {
  @IsOptional()
  @Type(() => PaymentMethod)
  paymentMethod?: PaymentMethod
}

export const read = (billing: Billing): Operation<Invoice> => ({
  ...readOperation<Invoice>(),
  description: 'While the invoice is open, it has a `confirmationSecret`, with which the browser confirms the payment.',
  async handle(call) {
    const invoice = await call.show()
    return invoice.isPayable ? withSecret(billing, invoice) : invoice
  },
})

export const pay = (billing: Billing): Operation<Invoice> => ({
  name: 'pay',
  method: 'POST',
  path: '/:id/pay',
  title: () => 'Pay an open invoice',
  consequence: 'bills',
  description:
    'Charges the payment method of the subscription, unless the body names another. Status 402 means that the bank declined. ' +
    'Status 200 with a `confirmationSecret` means that the bank requires the holder’s consent. The browser obtains it with the secret.',
  expects: InvoicePayment,
  returns: 'item',
  statuses: [200, 201, 400, 402, 404, 409, 413, 415, 422],
  callsExternalService: true,
  secrets: {
    names: ['confirmationSecret'],
    async renew(call) {
      const { isPayable, externalId } = await call.find()
      const { secret } = isPayable
        ? await invoicePaymentDetails(billing, externalId).catch(() => noPaymentDetails)
        : noPaymentDetails
      return { confirmationSecret: secret }
    },
  },
  link: { name: 'pay', when: ({ isPayable }: Invoice) => isPayable },
  async handle(call) {
    const { paymentMethod } = await call.input(InvoicePayment)
    const invoice = await call.find()
    if (invoice.status === 'paid') return new Unchanged(invoice)
    if (!invoice.isPayable)
      throw new Problem(
        409,
        `The invoice has the status ${invoice.status}. Only an open or uncollectible invoice can be paid.`,
      )
    const { stripeCustomerId } = await call.get(Organization, call.tenant)
    if (!stripeCustomerId)
      throw new Problem(409, 'The organization has manual billing. Only invoices of Stripe can be paid here.')
    const method = paymentMethod && (await call.get(PaymentMethod, paymentMethod.id)).externalId
    const found = await payAtStripe(billing, { id: invoice.externalId, status: 'open' }, method, call.request.claim)
    const after = await applyInvoiceState(call, invoice, invoiceFrom(found), stripeCustomerId)
    if (after.status === 'paid') return after
    return new Unchanged(after.showPaymentSecret(found.confirmation_secret?.client_secret ?? null))
  },
})

/** Adds the confirmation secret. While Stripe fails it is null. */
async function withSecret(billing: Billing, invoice: Invoice): Promise<Invoice> {
  const { secret } = await invoicePaymentDetails(billing, invoice.externalId).catch(() => noPaymentDetails)
  return invoice.showPaymentSecret(secret)
}

/** Stores the state that Stripe returned for a paid invoice, and enqueues a sync, which updates its subscription. */
async function applyInvoiceState(
  call: Call<Invoice>,
  before: Invoice,
  values: Partial<Invoice>,
  customer: string,
): Promise<Invoice> {
  try {
    return await call.unitOfWork.transaction(async () => {
      const after = Object.assign(copyEntity(before), values)
      await call.unitOfWork.save(before, after)
      await record({
        by: { manager: call.manager, tenant: before.organizationId, caller: call.caller },
        action: 'invoice.pay',
        target: `/invoices/${before.id}`,
        changes: changesBetween(call.manager, before, after),
      })
      await enqueueCustomerSync(call.manager, customer)
      return after
    })
  } catch (error) {
    if (!(error instanceof VersionConflict)) throw error
    return applyInvoiceState(call, await call.get(Invoice, before.id), values, customer)
  }
}
