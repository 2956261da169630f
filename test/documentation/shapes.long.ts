import fc from 'fast-check'
import { auditActions } from '../../entities/audit-actions.ts'
import { Employee } from '../../entities/index.ts'
import { enableBanking } from '../banking/linked-bank.ts'
import { docs, operations } from '../support/docs.ts'
import {
  conforms,
  expanded,
  type Graph,
  literal,
  moment,
  oneOf,
  stray,
  text,
  type Value,
  whole,
} from '../support/graphs.ts'
import { openWorld } from '../support/world.ts'

const { api, as, given, givenAddress, organization, person, publicUrl } = await openWorld()

const founder = await person('founder')
await givenAddress()
await enableBanking()
const employee = await given(Employee, { name: 'Mia' })
const nobody = '01900000-0000-7000-8000-00000000000a'

/** The path of each input class, with an arbitrary of valid graphs. */
const inputs: Record<string, [path: string, validGraph: fc.Arbitrary<Graph>]> = {
  Organization: ['/organizations', graph({ name: text(1, 255) }, { type: oneOf('company', 'partner') })],
  Clearance: ['/organizations/clear', graph({ confirm: text(1, 63) }, {})],
  Closure: ['/organizations/close', graph({ confirm: text(1, 63) }, {})],
  EmployeeErasure: [`/employees/${employee.id}/erase`, graph({ confirm: text(1, 255) }, {})],
  UserErasure: ['/users/me/erase', graph({ confirm: text(1, 255) }, {})],
  Location: ['/locations', fc.oneof(graph({ name: text(1, 255) }, {}), hours())],
  Language: ['/languages', graph({ id: oneOf('de', 'NL-be', 'deu', 'fr') }, {})],
  KontomatikSetup: [
    '/integrations/kontomatik/setup',
    graph({ redirectUri: text(1, 2000) }, { country: oneOf('NL', 'POL'), accessMode: oneOf('SINGLE', 'MIXED') }),
  ],
  KontomatikPull: ['/integrations/kontomatik/pull', graph({}, { since: oneOf('2024-02-10', '2024-02-29') })],
  KontomatikRevoke: ['/integrations/kontomatik/revoke', graph({}, {})],
  Meeting: ['/meetings', meetings()],
  Subscription: [
    '/subscriptions',
    graph(
      {},
      {
        organization: fc.constant({ '@id': `${publicUrl}/organizations/${organization.id}` }),
        type: oneOf('monthly', 'yearly'),
        seats: whole(10, 100_000),
        modules: oneOf('planning', 'banking'),
        metadata: fc.constant(literal([{ name: 'a', value: 'b' }], '@json')),
      },
    ),
  ],
  Cancellation: [`/subscriptions/${nobody}/cancel`, graph({}, { immediately: oneOf(true, false) })],
  InvoicePayment: [`/invoices/${nobody}/pay`, graph({}, {})],
  CouponApplication: ['/subscriptions/apply-coupon', graph({ code: text(1, 255) }, {})],
  CouponRemoval: ['/subscriptions/clear-coupon', graph({}, {})],
  PaymentMethod: ['/payment-methods', graph({ externalId: oneOf('pm_card_visa', 'pm_1') }, {})],
  Employee: [
    '/employees',
    graph(
      { name: text(1, 255) },
      { email: oneOf('mia@example.com', 'm.b+c@x.example'), phone: text(1, 50), active: oneOf(true, false) },
    ),
  ],
  OrganizationUserInvitation: [
    '/organization-user-invitations',
    graph(
      { email: oneOf('ada@example.com', 'b.c+d@x.example') },
      { name: text(1, 255), role: oneOf('member', 'owner') },
    ),
  ],
  ApiKey: ['/api-keys', graph({ name: text(1, 255) }, { role: oneOf('member', 'admin') })],
  WebhookEndpoint: [
    '/webhook-endpoints',
    graph(
      { url: oneOf('https://hooks.example.com/', 'https://x.example:8443/a?b=c') },
      {
        name: text(1, 255),
        events: oneOf('*', ...auditActions),
        role: oneOf('admin', 'owner'),
        enabled: oneOf(true, false),
      },
    ),
  ],
  WebhookTest: ['/webhook-deliveries/test', graph({}, {})],
  InvitationAcceptance: ['/organization-user-invitations/accept', graph({ token: text(1, 255) }, {})],
  OrganizationAddress: [
    '/organization-addresses',
    graph(
      { kind: oneOf('billing', 'visiting'), name: text(1, 255), street: text(1, 255), city: text(1, 255) },
      { houseNumber: text(1, 20), vatNumber: text(1, 30) },
      { country: { '@id': `${publicUrl}/countries/NL` } },
    ),
  ],
}

/** Rules that need the database: a shape cannot check them. */
const beyondShapes = [
  'unknownReference',
  'isExpiry',
  'isReceiver',
  'isUnique',
  'isCurrent',
  'isChosen',
  'isSlug',
  'isName',
  'isEmailAddress',
  'isUsable',
]
const runs = 40

test('each input class of a POST has a shape that targets the class', () => {
  const expected = operations
    .filter(({ method, expects }) => method === 'POST' && expects)
    .map(({ expects }) => expects)
  const shaped = (docs.defines as { 'sh:targetClass'?: string }[]).flatMap((shape) => shape['sh:targetClass'] ?? [])
  expect(docs.extension).toEqual(['http://www.w3.org/ns/shacl#'])
  expect(shaped.toSorted()).toEqual([...new Set(expected)].toSorted())
  const forgotten = shaped.map((iri) => iri.slice(1)).filter((name) => !(name in inputs))
  expect(forgotten.map((name) => `Add bodies of "${name}" to inputs in test/documentation/shapes.long.ts.`)).toEqual([])
})

test.each(Object.keys(inputs))('the shape of %s rejects exactly the bodies that the server rejects', async (type) => {
  const [path, validGraph] = inputs[type]
  const agent = type === 'Organization' ? as(founder) : api
  const names = Object.keys(fieldsOf(type))
  const mutation = fc.record({ name: fc.constantFrom(...names), values: fc.array(stray, { maxLength: 2 }) })
  const property = fc.asyncProperty(validGraph, fc.array(mutation, { maxLength: 2 }), async (sound, mutations) => {
    const graph: Graph = { ...sound }
    for (const { name, values } of mutations) graph[name] = distinct(values)
    fc.pre(!isIncomparable(type, graph))
    const body = expanded(type, graph)
    const { status, body: answer } = await agent.post(path, body)
    const codes: string[] = (answer.violations ?? []).map(({ code }: { code: string }) => code)
    // Only the server knows the existing languages; a shape checks the syntax of a tag.
    if (codes.length > 0 && codes.every((code) => code === 'languageTag')) return
    const taken = status === 422 ? codes.length > 0 && codes.every((code) => beyondShapes.includes(code)) : true
    expect([200, 201, 202, 404, 409, 422, 503]).toContain(status)
    expect({ taken: await conforms(body), status, codes }).toEqual({ taken, status, codes })
  })
  await fc.assert(property, { numRuns: runs, seed: 20_261_123 })
})

test('a shape accepts what it cannot compare: local times, and date-times as plain text', async () => {
  const window = { dateFrom: [moment(1, 0, 0)], dateTo: [moment(2, 0, 0)] }
  const at = (time: string) => conforms(expanded('Meeting', { ...window, time: [literal(time, 'dateTime')] }))
  expect(await at('1970-01-01T09:00:00Z')).toBe(true)
  expect(await at('1971-01-01T09:00:00Z')).toBe(false)
  expect(await at('2024-02-02T12:00:00.123456789Z')).toBe(true)
  for (const local of ['2024-02-02T12:00', '2024-02-02T12:00:00.5', '2023-02-02T12:00'])
    expect(await at(local)).toBe(true)
  for (const none of ['2024-02-02T12', '2024-02-02T12:00Z', '2024-02-30T12:00']) expect(await at(none)).toBe(false)

  const untyped = { dateFrom: [literal('2024-02-02T09:00:00Z')], dateTo: [literal('2024-02-01T09:00:00Z')] }
  expect(await conforms(expanded('Meeting', untyped))).toBe(true)
  expect(await conforms(expanded('Meeting', { ...untyped, dateTo: [literal('tomorrow')] }))).toBe(false)
})

/** Graphs that the shape and the server may judge differently, with the reason. */
function isIncomparable(type: string, graph: Graph): boolean {
  const is = (name: string, test: (value: Value) => boolean) => graph[name]?.some(test) ?? false
  const isJson = (value: Value) => value['@type'] === '@json'
  const moments = ['dateFrom', 'dateTo', 'time'].flatMap((name) => graph[name] ?? [])
  return (
    // SHACL and the server count characters; this validator counts some of them twice.
    Object.values(graph)
      .flat()
      .some((value) => beyondBasic.test(`${value['@value']}`)) ||
    // A language makes a literal a different term, but the server reads only its text.
    ['kind', 'type', 'accessMode', 'role'].some((name) => is(name, (value) => '@language' in value)) ||
    // Free-form JSON is opaque to a graph.
    (type === 'Subscription' && is('metadata', (value) => isJson(value) && !Array.isArray(value['@value']))) ||
    // A date-time without offset is accepted in JSON only; a shape does not know the format of a body.
    (type === 'Meeting' && moments.some((value) => /T\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(`${value['@value']}`))) ||
    // SHACL does not order date-times as plain text, or with the small letters that RFC 3339 allows.
    (type === 'Meeting' && moments.some((value) => unordered(`${value['@value']}`, value['@type'])))
  )
}

const beyondBasic = /[\u{10000}-\u{10FFFF}]{100}/u
const unordered = (text: string, type: unknown) => /^2024/.test(text) && (type === undefined || /[tz]/.test(text))

function graph(
  needed: Record<string, fc.Arbitrary<Value>>,
  optional: Record<string, fc.Arbitrary<Value>>,
  fixed: Record<string, Value> = {},
): fc.Arbitrary<Graph> {
  const all = fc.record({ ...needed, ...optional }, { requiredKeys: Object.keys(needed) })
  return all.map((values) =>
    Object.fromEntries(Object.entries({ ...values, ...fixed }).map(([name, value]) => [name, [value as Value]])),
  )
}

function hours(): fc.Arbitrary<Graph> {
  return graph({ name: text(1, 255), officeOpenHour: whole(8, 16), officeCloseHour: whole(8, 16) }, {})
}

/** Windows, some of which end before they start, and times, some of which are outside their window. */
function meetings(): fc.Arbitrary<Graph> {
  const [minutes, hours] = [fc.integer({ min: 0, max: 59 }), fc.integer({ min: -9, max: 9 })]
  const within = (min: number, max: number) =>
    fc.tuple(fc.integer({ min, max }), minutes, hours).map((parts) => moment(...parts))
  return graph({ dateFrom: within(0, 2), dateTo: within(2, 4) }, { time: within(1, 3), notes: text(1, 500) })
}

function distinct(values: Value[]): Value[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
}

function fieldsOf(type: string): Record<string, unknown> {
  const shape = docs.defines.find((one: { '@id': string }) => one['@id'] === `#${type}/shape`)
  return Object.fromEntries(
    shape['sh:property'].flatMap((one: { 'sh:name'?: string }) => (one['sh:name'] ? [[one['sh:name'], one]] : [])),
  )
}
