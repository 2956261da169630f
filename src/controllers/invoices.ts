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

/** How to pay an invoice. */
export class InvoicePayment {
  @IsOptional()
  @Type(() => PaymentMethod)
  paymentMethod?: PaymentMethod
}

export const read = (billing: Billing): Operation<Invoice> => ({
  ...readOperation<Invoice>(),
  description: 'While it is open it carries the secret with which the browser confirms its payment.',
  async handle(call) {
    const invoice = await call.show()
    return invoice.isPayable ? reveal(billing, invoice) : invoice
  },
})

export const pay = (billing: Billing): Operation<Invoice> => ({
  name: 'pay',
  method: 'POST',
  path: '/:id/pay',
  title: () => 'Pays the invoice at once',
  description:
    'With the payment method of its subscription, unless another is sent. 402 says that the bank refused. 200 with a ' +
    'confirmationSecret says that the bank asks for its holder’s consent, which the browser gives with that secret.',
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
    if (!invoice.isPayable) throw new Problem(409, `The invoice is ${invoice.status}: only an open one can be paid.`)
    const { stripeCustomerId } = await call.get(Organization, call.tenant)
    if (!stripeCustomerId) throw new Problem(409, 'The organization is billed by hand: its invoices are not paid here.')
    const method = paymentMethod && (await call.get(PaymentMethod, paymentMethod.id)).externalId
    const found = await payAtStripe(billing, { id: invoice.externalId, status: 'open' }, method, call.claim)
    const after = await write(call, invoice, invoiceFrom(found), stripeCustomerId)
    if (after.status === 'paid') return after
    return new Unchanged(after.showPaymentSecret(found.confirmation_secret?.client_secret ?? null))
  },
})

/** The invoice as it can be paid by a person; what is kept here can be read though Stripe cannot. */
async function reveal(billing: Billing, invoice: Invoice): Promise<Invoice> {
  const { secret } = await invoicePaymentDetails(billing, invoice.externalId).catch(() => noPaymentDetails)
  return invoice.showPaymentSecret(secret)
}

/** Writes down what became of an invoice, unless an event has done so meanwhile; its subscription follows. */
async function write(
  call: Call<Invoice>,
  before: Invoice,
  values: Partial<Invoice>,
  customer: string,
): Promise<Invoice> {
  try {
    return await call.transaction(async () => {
      const after = Object.assign(copyEntity(before), values)
      await call.save(before, after)
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
    return write(call, await call.get(Invoice, before.id), values, customer)
  }
}
