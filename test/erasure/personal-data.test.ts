import { BankAccount, BankTransaction, Integration, OutgoingMail, User, WebhookDelivery } from '../../entities/index.ts'
import { personalData } from '../../src/erasure/personal-data.ts'
import { createEvent, deliver } from '../support/billing/stripe-events.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { startJobs } from '../support/jobs.ts'
import { tokenIn } from '../support/mail.ts'
import { givenInvitation } from '../support/rows/sample-rows.ts'
import { morning, openWorld } from '../support/world.ts'
import { Receiver } from '../webhooks/receiver.ts'
import { columns, columnsWith, jobsWith } from './marked-columns.ts'

const { as, database, foundTenant, given, operator, server, tokenOf } = await openWorld()

const types = ['text', 'character varying', 'json', 'jsonb', 'ARRAY', 'bytea']

const columnsOf = (table: string, names = '') => names.split(' ').map((column) => `${table}.${column}`)

test('each column with text, JSON or bytes is classified', async () => {
  const stored = (await columns()).filter(({ type }) => types.includes(type))
  const classified = Object.entries(personalData).flatMap(([table, { none, user, employee, kept = {} }]) =>
    [none, user, employee, ...Object.values(kept)].filter((names) => names).flatMap((names) => columnsOf(table, names)),
  )
  expect([...new Set(classified)].sort()).toEqual(stored.map(({ table, column }) => `${table}.${column}`).sort())
})

/** A word of the name and of each address and text about the person. */
const mark = 'quixmarker'
const name = `Mara ${mark}`
const email = `mara@${mark}.example`
const mara = Object.assign(new User(), { subject: `sub-${mark}` })

/** Writes the mark into each text that the API takes, and lets jobs and receivers copy it. */
async function writeEverywhere() {
  const { organization, users } = await foundTenant('Employer', 'employer')
  const own = { organizationId: organization.id }
  const api = as(users.owner)
  const keyed = (path: string, body: object) => api.post(path, body).set('Idempotency-Key', `k-${path}`).expect(201)
  const receiver = await new Receiver().start()
  receiver.answer = (response) => response.end(receiver.messages.at(-1)?.body)
  await keyed('/webhook-endpoints', { url: `${receiver.url}${mark}`, name, role: 'owner', events: ['employee.create'] })

  await keyed('/organization-user-invitations', { email, name, role: 'admin' })
  const { text } = await database.manager.findOneByOrFail(OutgoingMail, { recipient: email })
  const person = as(mara, { name, email })
  await person.post('/organization-user-invitations/accept', { token: tokenIn(text as string) }).expect(201)
  await new Browser(server, mark).signIn(await tokenOf(mara, { name, email }))
  await givenInvitation({ ...own, email, name, invitedBy: users.owner, revokedAt: new Date() })
  await person.post('/api-keys', { name }).expect(201)
  await as(operator).patch(`/organizations/${organization.id}`, { name }).expect(200)

  const { body: me } = await person.get('/users/me')
  const contact = { name, email, phone: mark, jobTitle: mark, user: me['@id'] }
  const { body: employee } = await keyed('/employees', contact)
  await keyed('/meetings', { ...morning, employee: employee['@id'], notes: `${name} is ill` })
  await keyed('/locations', { name: `Office of ${name}` })
  const street = { kind: 'billing', street: mark, city: mark, country: '/countries/NL' }
  await keyed('/organization-addresses', { ...street, name })
  await api.patch('/organizations/mail-footer', { mailFooter: `<p>${name}</p>` }).expect(200)
  const integration = await given(Integration, { ...own, status: 'active' })
  const account = await given(BankAccount, { ...own, integration, reference: mark, name })
  await given(BankTransaction, { ...own, account, transactionOn: '2026-02-27', amount: '1', party: name, text: mark })

  await startJobs()
  await api.post('/organizations/export').expect(202)
  await database.query(
    `UPDATE "organization" SET "manualBilling" = false, "stripeCustomerId" = 'cus_mark' WHERE "id" = $1`,
    [organization.id],
  )
  await deliver(createEvent('customer.updated', { object: 'customer', id: 'cus_mark', email }))
  await eventually(
    () => database.manager.findBy(WebhookDelivery, own),
    ([delivery]) => expect(delivery.responseBody).toContain(mark),
  )
  return { api, person, employee: employee['@id'] as string }
}

test('a person whose name is in every column is in those alone, after both erasures, that are kept for a reason', async () => {
  const { api, person, employee } = await writeEverywhere()
  const erasable = Object.entries(personalData).flatMap(([table, { user, employee: other }]) =>
    [user, other].filter((names) => names).flatMap((names) => columnsOf(table, names)),
  )
  const kept = Object.entries(personalData).flatMap(([table, { kept: reasons = {} }]) =>
    Object.values(reasons).flatMap((names) => columnsOf(table, names)),
  )
  const before = await columnsWith(mark)
  // The others are digests or encrypted, are empty once a mail is sent, or take no text of the person here.
  expect([...new Set(erasable)].filter((column) => !before.includes(column)).sort()).toEqual([
    'outgoing_mail.attachments',
    'outgoing_mail.error',
    'outgoing_mail.html',
    'outgoing_mail.subject',
    'outgoing_mail.text',
    'session.hash',
    'session.sealedTokens',
    'user.issuer',
    'user.locale',
  ])
  expect(before.filter((column) => ![...erasable, ...kept].includes(column))).toEqual([])

  await api.post(`${employee}/erase`, { confirm: name }).expect(202)
  await person.post('/users/me/erase', { confirm: email }).expect(201)
  await eventually(async () => {
    await api.post(`${employee}/erase`, { confirm: name }).expect(200)
  })
  const after = await columnsWith(mark)
  expect(after.filter((column) => !kept.includes(column))).toEqual([])
  expect(after).toEqual(expect.arrayContaining(['bank_transaction.party', 'organization_address.name']))
  expect(await jobsWith(mark)).toEqual([])
})
