/** A valid body of an operation, and the state that it needs. */
interface Line {
  body?: Record<string, unknown>
  /** Whether it is for those alone who are billed through Stripe. */
  subscriber?: true
  /** SQL that prepares the state. */
  before?: string
  /** Requests before it: a copy of the database does not reset Stripe. */
  first?: { path: string; body: object }
}

const acme = `(SELECT "id" FROM "organization" WHERE "slug" = 'acme')`
const ended = `UPDATE "subscription" SET "status" = 'canceled' WHERE "organizationId" = ${acme}`

/** Of each operation that wants more than an empty object. */
export const lines: Record<string, Line> = {
  'POST /organizations': { body: { name: 'New' } },
  'POST /organizations/clear': {
    body: { confirm: 'acme' },
    before: `UPDATE "organization" SET "demo" = true WHERE "slug" = 'acme'`,
  },
  'POST /organizations/close': {
    body: { confirm: 'acme' },
    before: `UPDATE "organization" SET "status" = 'active', "deleteAt" = NULL WHERE "slug" = 'acme'`,
  },
  'POST /organizations/reopen': {
    before: `UPDATE "organization" SET "status" = 'closed', "deleteAt" = now() + interval '1 day' WHERE "slug" = 'acme'`,
  },
  'POST /locations': { body: { name: 'New' } },
  'POST /languages': { body: { id: 'de' } },
  'POST /meetings': { body: { dateFrom: '2026-04-01T08:00:00Z', dateTo: '2026-04-01T10:00:00Z' } },
  'POST /employees': { body: { name: 'New' } },
  'POST /employees/:id/erase': { body: { confirm: 'Mia' } },
  'POST /users/me/erase': {
    body: { confirm: 'own@example.com' },
    before: `UPDATE "user" SET "email" = 'own@example.com'`,
  },
  'POST /integrations/kontomatik/setup': { body: { redirectUri: 'https://app.example/bank/return' } },
  'POST /subscriptions': { body: { seats: 9 }, before: ended },
  'POST /subscriptions/apply-coupon': {
    body: { code: 'LOYAL10' },
    subscriber: true,
    first: { path: '/subscriptions/clear-coupon', body: {} },
  },
  'POST /subscriptions/clear-coupon': {
    subscriber: true,
    first: { path: '/subscriptions/apply-coupon', body: { code: 'LOYAL10' } },
  },
  'POST /organization-user-invitations/accept': {
    body: { token: 'planted' },
    before: `UPDATE "organization_user_invitation" SET "tokenHash" = sha256('planted') WHERE "organizationId" = ${acme}`,
  },
  'POST /organization-user-invitations': {
    body: { email: 'new@example.com' },
    before: `UPDATE "subscription" SET "seats" = 50 WHERE "organizationId" = ${acme}`,
  },
  'POST /api-keys': { body: { name: 'New' } },
  'POST /webhook-endpoints': { body: { url: 'https://hooks.example.com/' } },
  'POST /organization-addresses': {
    body: { kind: 'postal', name: 'New', street: 'Dam', city: 'Amsterdam', country: '/countries/NL' },
  },
  'POST /payment-methods': { body: { externalId: 'pm_card_visa' }, subscriber: true },
  'POST /payment-methods/setup': { subscriber: true },
}
