import { testCard } from '../billing/test-cards.ts'
import { invalidRequest } from '../http/api-error.ts'
import { requireObject } from '../http/route.ts'
import type { Account } from './account.ts'
import type { PaymentMethod } from './objects.ts'

/** A method by its id, or a new one by the name of a test card. */
export function findOrCreatePaymentMethod(account: Account, name: string, param = 'payment_method'): PaymentMethod {
  return testCard(name) ? createTestCardMethod(account, name) : requireObject(account, 'payment_method', name, param)
}

/** Every use of a test card's name makes a method of payment of its own. */
export function createTestCardMethod(account: Account, token: string): PaymentMethod {
  const card = testCard(token)
  if (!card) throw invalidRequest(`No such token: '${token}'`, { code: 'resource_missing', param: 'card[token]' })
  const { brand, last4, attachDecline = null, chargeDecline = attachDecline, requiresAuthentication = false } = card
  const id = account.ids.next('pm_')
  account.add({
    id,
    object: 'local.card',
    refused: attachDecline,
    decline: chargeDecline,
    authenticates: requiresAuthentication,
  })
  return account.add<PaymentMethod>({
    id,
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    card: {
      brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country: 'US',
      display_brand: brand,
      exp_month: 8,
      exp_year: new Date(account.now() * 1000).getUTCFullYear() + 4,
      fingerprint: `local${brand}${last4}`,
      funding: 'credit',
      generated_from: null,
      last4,
      networks: { available: [brand], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
    created: account.now(),
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: 'card',
  })
}
