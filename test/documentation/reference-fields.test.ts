import { operationOf, propertiesOf, schemas } from '../support/docs.ts'
import { endpoints, reference } from './reference.ts'

/** The members of an item beside the fields of the reference. */
const additions: Record<string, string[]> = {
  Organization: [
    ...[
      'logo',
      'icon',
      'deleteAt',
      'deletedAt',
      'clear',
      'close',
      'reopen',
      'export',
      'uploadIcon',
      'uploadLogo',
      'removeIcon',
      'removeLogo',
      'mailFooter',
    ],
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

/** The required fields that have no star in the reference. */
const alsoRequired: Record<string, string[]> = { Organization: ['name'] }

const writeable: Record<string, string[]> = {
  Organization: ['type', 'name', 'slug'],
  Location: ['name', 'officeOpenHour', 'officeCloseHour'],
  Country: [],
  Language: ['id'],
  Meeting: ['employee', 'dateFrom', 'dateTo', 'notes', 'time'],
  Subscription: ['organization', 'organizationAddress', 'type', 'paymentMethod', 'seats', 'modules', 'metadata'],
}

/** An ended subscription remains after its address is deleted. */
const alsoNullable = ['Subscription.organizationAddress']

describe.each(reference.filter(({ fields }) => fields.length > 0))(
  'The documentation of $name has',
  ({ name, fields }) => {
    const properties = propertiesOf(name)
    const titles = (found: typeof properties) => found.map(({ title }) => title)

    test('the fields of the reference, in its order', () => {
      expect(titles(properties)).toEqual([...fields.map((field) => field.name), ...additions[name]])
    })

    test('its required fields', () => {
      const starred = fields.filter(({ required }) => required).map((field) => field.name)
      expect(titles(properties.filter(({ required }) => required))).toEqual([...starred, ...(alsoRequired[name] ?? [])])
    })

    test('its writable fields', () => {
      expect(titles(properties.filter((property) => property.writeable))).toEqual(writeable[name])
      expect(titles(properties.filter(({ writable }) => writable))).toEqual(writeable[name])
    })

    test.each(fields)('$name with its type', (field) => {
      const schema = schemas[name].properties[field.name]
      const nullable = field.nullable || alsoNullable.includes(`${name}.${field.name}`)
      expect(schema.type).toEqual(nullable ? [field.type, 'null'] : field.type)
      expect(schema.format).toBe(field.format)
      expect(schema.readOnly ?? false).toBe(!writeable[name].includes(field.name))
    })
  },
)

describe('The description starts with the sentence of the reference, then the title, for', () => {
  test.each(endpoints)('$method $path', (endpoint) => {
    const { description = '', title } = operationOf(endpoint) ?? {}
    const start = `${endpoint.sentence} ${title}.`
    expect(description.slice(0, start.length)).toBe(start)
  })
})
