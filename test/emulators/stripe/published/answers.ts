import { readFileSync } from 'node:fs'
import {
  type Expression,
  parseSync,
  type TsEntityName,
  type TsInterfaceDeclaration,
  type TsType,
  type TsTypeAliasDeclaration,
  type TsTypeElement,
} from '@swc/core'
import { had } from './shapes.ts'

const root = new URL('../../../../node_modules/stripe/esm/', import.meta.url)

/** The types that one file or namespace of the client declares, and where the names come from that it imports. */
interface Home {
  types: Map<string, TsInterfaceDeclaration | TsTypeAliasDeclaration>
  spaces: Map<string, Home>
  imports: Map<string, URL>
  around?: Home
}

interface Found {
  home: Home
  declared: TsInterfaceDeclaration | TsTypeAliasDeclaration
}

interface Field {
  type: TsType
  home: Home
  optional: boolean
}

const homes = new Map<string, Home>()

/** Where each kind of object is declared; a deleted object has a type of its own. */
const places: Record<string, string> = {
  coupon: 'Coupons',
  customer: 'Customers',
  discount: 'Discounts',
  event: 'Events',
  invoice: 'Invoices',
  invoice_payment: 'InvoicePayments',
  payment_intent: 'PaymentIntents',
  payment_method: 'PaymentMethods',
  price: 'Prices',
  product: 'Products',
  promotion_code: 'PromotionCodes',
  refund: 'Refunds',
  setup_intent: 'SetupIntents',
  subscription: 'Subscriptions',
  subscription_schedule: 'SubscriptionSchedules',
}

type Hash = Record<string, unknown>

/** Every difference between an answer or an event and the types that the installed client declares for it. */
export function answerFaults(answer: Hash): string[] {
  if (answer.object === 'list') {
    const { data, has_more, url, object: _, ...others } = answer
    const whole = Array.isArray(data) && typeof has_more === 'boolean' && typeof url === 'string'
    const bare = whole && Object.keys(others).length === 0 ? [] : ['the list is not whole']
    return [...bare, ...(data as Hash[]).flatMap(answerFaults)]
  }
  const kind = String(answer.object)
  const home = homeOf(new URL(`resources/${had(places[kind], kind)}.d.ts`, root))
  const name = kind.replace(/(^|_)(\w)/g, (_, __, letter) => letter.toUpperCase())
  if (kind === 'event') return objectFaults(answer, eventFields(home, String(answer.type)), kind)
  const found = had(lookUp(home, [answer.deleted ? `Deleted${name}` : name]), name)
  return objectFaults(answer, fieldsOf(found), kind)
}

/** The fields of the one type of event that has this type. */
function eventFields(home: Home, type: string): Map<string, Field> {
  for (const declared of home.types.values()) {
    if (declared.type !== 'TsInterfaceDeclaration') continue
    const fields = fieldsOf({ home, declared })
    const of = fields.get('type')?.type
    if (of?.type === 'TsLiteralType' && 'value' in of.literal && of.literal.value === type) return fields
  }
  throw new Error(`The installed client declares no event ${type}.`)
}

function homeOf(file: URL): Home {
  const known = homes.get(file.href)
  if (known) return known
  const { body } = parseSync(readFileSync(file, 'utf8'), { syntax: 'typescript' })
  const home = made(body as never, file)
  homes.set(file.href, home)
  return home
}

function made(body: { type: string; declaration?: unknown }[], file: URL, around?: Home): Home {
  const home: Home = { types: new Map(), spaces: new Map(), imports: new Map(), around }
  for (const item of body) {
    // biome-ignore lint/suspicious/noExplicitAny: a parser's tree, of which only a few nodes matter
    const declared = (item.type === 'ExportDeclaration' ? item.declaration : item) as any
    if (declared.type === 'TsInterfaceDeclaration' || declared.type === 'TsTypeAliasDeclaration')
      home.types.set(declared.id.value, declared)
    if (declared.type === 'TsModuleDeclaration')
      home.spaces.set(declared.id.value, made(declared.body.body, file, home))
    if (declared.type === 'ImportDeclaration')
      for (const { local } of declared.specifiers)
        home.imports.set(local.value, new URL(declared.source.value.replace(/\.js$/, '.d.ts'), file))
  }
  return home
}

/** Looks a name up where it stands, then in what is around it and in what is imported there, as TypeScript does. */
function lookUp(home: Home, path: string[]): Found | undefined {
  const last = had(path.at(-1), 'a name')
  for (let at: Home | undefined = home; at; at = at.around) {
    const within: Home | undefined = path.slice(0, -1).reduce((in_: Home | undefined, one) => in_?.spaces.get(one), at)
    const declared = within?.types.get(last)
    if (within && declared) return { home: within, declared }
    const source = path.length === 1 ? at.imports.get(last) : undefined
    if (source) return lookUp(homeOf(source), path)
  }
  return undefined
}

function fieldsOf({ home, declared }: Found): Map<string, Field> {
  if (declared.type === 'TsTypeAliasDeclaration') throw new Error(`${declared.id.value} is no interface.`)
  const inherited = declared.extends.flatMap(({ expression }) => {
    const parent = had(lookUp(home, pathOf(expression)), 'a parent')
    return [...fieldsOf(parent)]
  })
  return new Map([...inherited, ...membersOf(declared.body.body, home)])
}

function membersOf(members: TsTypeElement[], home: Home): [string, Field][] {
  return members.flatMap((member): [string, Field][] => {
    if (member.type !== 'TsPropertySignature' || member.key.type !== 'Identifier') return []
    const type = had(member.typeAnnotation, 'a type').typeAnnotation
    return [[member.key.value, { type, home, optional: member.optional }]]
  })
}

function objectFaults(value: unknown, fields: Map<string, Field>, at: string, partial = false): string[] {
  if (!isHash(value)) return [`${at} is ${JSON.stringify(value)}, and no object`]
  const missing = [...fields].filter(([name, { optional }]) => !partial && !optional && !(name in value))
  return [
    ...missing.map(([name]) => `${at}.${name} is missing`),
    ...Object.entries(value).flatMap(([name, one]) => {
      const field = fields.get(name)
      return field ? faults(one, field.type, field.home, `${at}.${name}`, partial) : [`${at}.${name} is unknown`]
    }),
  ]
}

/** @param partial whether hashes may lack members, as those of previous attributes do; lists may not */
function faults(value: unknown, type: TsType, home: Home, at: string, partial = false): string[] {
  const wrong = [`${at} is ${JSON.stringify(value)?.slice(0, 60)}`]
  switch (type.type) {
    case 'TsKeywordType':
      if (type.kind === 'unknown' || type.kind === 'any') return []
      if (type.kind === 'null') return value === null ? [] : wrong
      if (type.kind === 'void') return value === undefined ? [] : wrong
      return typeof value === type.kind ? [] : wrong
    case 'TsLiteralType':
      return 'value' in type.literal && type.literal.value === value ? [] : wrong
    case 'TsUnionType': {
      const all = type.types.map((one) => faults(value, one, home, at, partial))
      // Of two lists of faults, those inside an object tell more than that it is none.
      const inside = all.filter((one) => !one[0]?.startsWith(`${at} is `))
      return (inside.length > 0 ? inside : all).reduce((best, one) => (one.length < best.length ? one : best))
    }
    case 'TsTypeLiteral':
      if (type.members.some(({ type }) => type === 'TsIndexSignature')) return isHash(value) ? [] : wrong
      return objectFaults(value, new Map(membersOf(type.members, home)), at, partial)
    case 'TsTypeReference':
      return referenceFaults(value, type, home, at, partial)
  }
  throw new Error(`No rule is known for ${type.type}.`)
}

type Reference = Extract<TsType, { type: 'TsTypeReference' }>

function referenceFaults(value: unknown, type: Reference, home: Home, at: string, partial: boolean): string[] {
  const path = pathOf(type.typeName)
  const of = type.typeParams?.params[0]
  const wrong = [`${at} is ${JSON.stringify(value)?.slice(0, 60)}`]
  if (path[0] === 'OtherString') return wrong
  if (path[0] === 'Decimal') return typeof value === 'string' ? [] : wrong
  if (path[0] === 'Metadata') {
    // A key that was added was null before.
    const takes = (one: unknown) => isText(one) || (partial && one === null)
    return isHash(value) && Object.values(value).every(takes) ? [] : wrong
  }
  if (path[0] === 'Partial') {
    const found = had(lookUp(home, pathOf((of as Reference).typeName)), 'a type')
    return objectFaults(value, fieldsOf(found), at, true)
  }
  if (path[0] === 'Array' || path[0] === 'ApiList') {
    const inner = had(of, 'a type parameter')
    const elements = path[0] === 'Array' ? value : isList(value) && value.data
    if (!Array.isArray(elements)) return [`${at} is no list`]
    return elements.flatMap((one, place) => faults(one, inner, home, `${at}[${place}]`))
  }
  const found = lookUp(home, path)
  // A type that is not found belongs to a product that is not served here, so no value is expected.
  if (!found) return wrong
  const { declared } = found
  if (declared.type === 'TsTypeAliasDeclaration') return faults(value, declared.typeAnnotation, found.home, at, partial)
  const own = fieldsOf(found)
  return own.size === 0 && declared.body.body.length > 0 ? [] : objectFaults(value, own, at, partial)
}

/** A parent that stands in a namespace is parsed as an expression. */
function pathOf(name: TsEntityName | Expression): string[] {
  if (name.type === 'Identifier') return [name.value]
  if (name.type === 'TsQualifiedName') return [...pathOf(name.left), name.right.value]
  if (name.type !== 'MemberExpression' || name.property.type !== 'Identifier') throw new Error(name.type)
  return [...pathOf(name.object), name.property.value]
}

function isHash(value: unknown): value is Hash {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isList(value: unknown): value is { data: unknown[] } {
  return isHash(value) && value.object === 'list' && typeof value.has_more === 'boolean' && isText(value.url)
}
