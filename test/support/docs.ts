import type { Endpoint } from '../documentation/reference.ts'
import { openWorld } from './world.ts'

const { as } = await openWorld()

export interface Operation {
  '@id': string
  method: string
  title: string
  description: string
  expects?: string
  returns: string
  possibleStatus: { statusCode: number }[]
}

export interface Property {
  property: {
    '@id': string
    '@type': string
    range?: unknown
    'owl:maxCardinality'?: number
    memberAssertion?: object
    supportedOperation?: Operation[]
  }
  title: string
  required: boolean
  readable: boolean
  writeable: boolean
  writable: boolean
}

export interface Class {
  '@id': string
  title: string
  supportedProperty: Property[]
  supportedOperation: Operation[]
}

interface Schema {
  // biome-ignore lint/suspicious/noExplicitAny: a schema is asked whatever JSON Schema has
  properties: Record<string, any>
}

/** The documentation as a client without a token reads it. */
export const { body: docs } = await as().get('/docs.jsonld').expect(200)
export const { body: openapi } = await as().get('/docs.jsonopenapi').expect(200)

/** The schemas of the classes; those with a dot in their names are made of these. */
export const schemas = Object.fromEntries(
  Object.entries<Schema>(openapi.components.schemas).filter(([name]) => !name.includes('.')),
)

export const { body: entrypoint } = await as().get('/').expect(200)

export const classes = new Map((docs.supportedClass as Class[]).map((type) => [type.title, type]))

/** The collections of the entrypoint, by the key that each has there. */
export const collections = new Map(propertiesOf('Entrypoint').map(({ title, property }) => [title, property]))

export const operations: Operation[] = [...classes.values()].flatMap(({ supportedOperation, supportedProperty }) => [
  ...supportedOperation,
  ...supportedProperty.flatMap(({ property }) => property.supportedOperation ?? []),
])

export function propertiesOf(name: string): Property[] {
  return classes.get(name)?.supportedProperty ?? []
}

/** The link of an item that leads to a path of the reference. */
const links: Record<string, [name: string, link: string]> = {
  '/organizations/clear': ['Organization', 'clear'],
  '/organizations/icon': ['Organization', 'uploadIcon'],
  '/organizations/logo': ['Organization', 'uploadLogo'],
  '/organizations/mail-footer': ['Organization', 'mailFooter'],
  '/integrations/kontomatik/pull': ['Integration', 'pull'],
  '/integrations/kontomatik/revoke': ['Integration', 'revoke'],
  '/integrations/kontomatik/setup': ['Organization', 'setupKontomatik'],
  '/subscriptions/{id}/cancel': ['Subscription', 'cancel'],
  '/subscriptions/{id}/invoices': ['Subscription', 'invoices'],
  '/subscriptions/apply-coupon': ['Subscription', 'applyCoupon'],
  '/subscriptions/clear-coupon': ['Subscription', 'clearCoupon'],
}

/** The operation that an endpoint of the reference is documented as. */
export function operationOf({ method, path, of }: Endpoint): Operation | undefined {
  return placeOf(path, of)?.find((operation) => operation.method === method)
}

/** On a link of an item, on the class of the item, or on the collection in the entrypoint. */
function placeOf(path: string, name: string): Operation[] | undefined {
  if (path in links) {
    const [owner, link] = links[path]
    return propertiesOf(owner).find(({ title }) => title === link)?.property.supportedOperation
  }
  if (path.endsWith('/{id}')) return classes.get(name)?.supportedOperation
  return collections.get(name[0].toLowerCase() + name.slice(1))?.supportedOperation
}
