import { operationOf, propertiesOf, schemas } from '../support/docs.ts'
import { endpoints, reference } from './reference.ts'

/** What items have beside the fields of the reference. */
const additions: Record<string, string[]> = {
  Organization: [
    ...['logo', 'icon', 'clear', 'uploadIcon', 'uploadLogo', 'removeIcon', 'removeLogo', 'mailFooter'],
    ...['setupKontomatik', 'confirmSubscription', 'setupPaymentMethod'],
  ],
  Location: ['opensAt', 'closesAt'],
  Country: ['name', 'userAssigned'],
  Language: [],
  Meeting: [],
  Subscription: [
    'cancelAt',
    'paused',
    'coupon',
    'billedTo',
    'confirmationSecret',
    'hostedInvoiceUrl',
    'cancel',
    'invoices',
    'applyCoupon',
    'clearCoupon',
  ],
}

/** What must be given though the reference has no star there. */
const alsoRequired: Record<string, string[]> = { Organization: ['name'] }

const writeable: Record<string, string[]> = {
  Organization: ['type', 'name', 'slug'],
  Location: ['name', 'officeOpenHour', 'officeCloseHour'],
  Country: [],
  Language: ['id'],
  Meeting: ['employee', 'dateFrom', 'dateTo', 'notes', 'time'],
  Subscription: ['organization', 'organizationAddress', 'type', 'paymentMethod', 'seats', 'modules', 'metadata'],
}

/** An ended subscription outlives its address. */
const alsoNullable = ['Subscription.organizationAddress']

describe.each(reference.filter(({ fields }) => fields.length > 0))('$name has', ({ name, fields }) => {
  const properties = propertiesOf(name)
  const titles = (found: typeof properties) => found.map(({ title }) => title)

  test('the fields of the reference, in its order', () => {
    expect(titles(properties)).toEqual([...fields.map((field) => field.name), ...additions[name]])
  })

  test('its required fields', () => {
    const starred = fields.filter(({ required }) => required).map((field) => field.name)
    expect(titles(properties.filter(({ required }) => required))).toEqual([...starred, ...(alsoRequired[name] ?? [])])
  })

  test('what somebody may write', () => {
    expect(titles(properties.filter((property) => property.writeable))).toEqual(writeable[name])
    expect(titles(properties.filter(({ writable }) => writable))).toEqual(writeable[name])
  })

  test.each(fields)('$name of its type', (field) => {
    const schema = schemas[name].properties[field.name]
    const nullable = field.nullable || alsoNullable.includes(`${name}.${field.name}`)
    expect(schema.type).toEqual(nullable ? [field.type, 'null'] : field.type)
    expect(schema.format).toBe(field.format)
    expect(schema.readOnly ?? false).toBe(!writeable[name].includes(field.name))
  })
})

describe('The sentence of the reference, and then what really happens, describes', () => {
  test.each(endpoints)('$method $path', (endpoint) => {
    const { description = '', title } = operationOf(endpoint) ?? {}
    const said = `${endpoint.sentence} ${title}.`
    expect(description.slice(0, said.length)).toBe(said)
  })
})
