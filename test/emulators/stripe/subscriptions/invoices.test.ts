import { invoicesOf, local, statusOf, stripe, subscribed } from './customers.ts'

test('an invoice that is sent is past due when it is overdue', async () => {
  const subscription = await subscribed({ collection_method: 'send_invoice', days_until_due: 10 }, null)
  local.advance({ days: 11 })
  const late = await statusOf(subscription)
  const [invoice] = await invoicesOf(subscription)
  const paid = await stripe.invoices.pay(invoice.id, { paid_out_of_band: true })

  expect([subscription.status, late, paid.status]).toEqual(['active', 'past_due', 'paid'])
  expect(await statusOf(subscription)).toBe('active')
})

test('a preview shows the total of the next renewal and changes nothing', async () => {
  const { id, latest_invoice } = await subscribed({ discounts: [{ coupon: 'LOYAL10' }] })
  const preview = await stripe.invoices.createPreview({ subscription: id })

  expect([preview.total, preview.number]).toEqual([3240, null])
  expect((await stripe.subscriptions.retrieve(id)).latest_invoice).toBe(latest_invoice)
})

test('an invoice can be read, as text and as PDF, where it says', async () => {
  const { latest_invoice } = await subscribed()
  const { hosted_invoice_url, invoice_pdf, number } = await stripe.invoices.retrieve(latest_invoice as string)
  const [page, file] = await Promise.all([fetch(hosted_invoice_url as string), fetch(invoice_pdf as string)])

  expect(await page.text()).toContain(`Invoice ${number}: paid`)
  expect(await file.text()).toMatch(/^%PDF-/)
})
