import { cardOf } from '../billing/test-cards.ts'
import { refusal } from '../http/api-error.ts'
import { existing } from '../http/route.ts'
import type { Account } from './account.ts'
import type { PaymentMethod } from './objects.ts'

/** A method by its id, or a new one by the name of a test card. */
export function methodNamed(account: Account, name: string, param = 'payment_method'): PaymentMethod {
  return cardOf(name) ? fresh(account, name) : existing(account, 'payment_method', name, param)
}

/** Every use of a test card's name makes a method of payment of its own. */
export function fresh(account: Account, token: string): PaymentMethod {
  const plastic = cardOf(token)
  if (!plastic) throw refusal(`No such token: '${token}'`, { code: 'resource_missing', param: 'card[token]' })
  const { brand, last4, refused, decline = refused ?? null, authenticates = false } = plastic
  const id = account.ids.next('pm_')
  account.add({ id, object: 'local.card', refused: refused ?? null, decline, authenticates })
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
