const { api, as, tenant } = await openWorld()

// The same mistake could be in any message: it contradicts its rule, or names no remedy.
import { stripeCustomer } from '../support/billing/billing.ts'
import { openWorld } from '../support/world.ts'

// RFC 9457 §3.1.4: "detail" helps the client to correct the problem.
test('a refused change of an unpaid subscription says when the change is possible', async () => {
  const payer = await stripeCustomer()
  const created = await payer.api.post('/subscriptions')
  const { status, body } = await payer.api.patch(created.body['@id'], { seats: 9 })
  expect([status, body.detail]).toEqual([409, 'A subscription can be changed after its first payment.'])
})

test('a refusal says what is wrong and what to do', async () => {
  const member = as(tenant.users.member)
  const window = { dateFrom: '2026-04-01T08:00:00Z', dateTo: '2026-04-01T10:00:00Z' }
  const turtle = '[] <urn:about> <<( <urn:a> <urn:b> "x" )>> .'
  const uuid = '01900000-0000-7000-8000-00000000000a'
  const details = [
    (await api.get(`/meetings/${uuid}`)).body.detail,
    (await member.post('/meetings', { employee: null, ...window })).body.detail,
    (await api.post('/organizations/clear', { confirm: 'acme' })).body.detail,
    (await api.post('/locations').set('Content-Type', 'text/turtle').send(turtle)).body.detail,
    (await api.post('/locations').set('Content-Type', 'text/turtle').send('# nothing')).body.detail,
  ]
  expect(details).toEqual([
    'Not found: no such resource exists, or you have no access to it.',
    'A member can plan only its own meetings: "employee" must be its own employee.',
    'An organization can be cleared only if it is a demo, or not "productionLike".',
    'The body has triples about triples (RDF-star), which are not accepted.',
    'The body has no triples: send one resource.',
  ])
})

test('the refusal of a reused Idempotency-Key names the header', async () => {
  const key = { 'Idempotency-Key': 'messages' }
  await api.post('/locations', { name: 'First' }).set(key)
  const { status, body } = await api.post('/locations', { name: 'Second' }).set(key)
  expect([status, body.detail]).toEqual([
    422,
    'Idempotency-Key: This key was used for another request: send a new key.',
  ])
})
