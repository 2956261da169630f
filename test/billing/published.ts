import { readFileSync } from 'node:fs'
import {
  type BindingIdentifier,
  type ModuleItem,
  type Pattern,
  parseSync,
  type Statement,
  type TsEntityName,
  type TsType,
  type TsTypeElement,
} from '@swc/core'
import type { Fields, Kind, Shape } from '../../src/billing/local/parameters.ts'

const resources = new URL('../../node_modules/stripe/esm/resources/', import.meta.url)

/** The methods of the client that we call or that the local server answers, by the file that declares them. */
const methods = {
  Customers: ['create', 'retrieve', 'update', 'del', 'list', 'listPaymentMethods'],
  PaymentMethods: ['create', 'retrieve', 'update', 'list', 'attach', 'detach'],
  Products: ['create', 'retrieve', 'list'],
  Prices: ['create', 'retrieve', 'list'],
  Coupons: ['create', 'retrieve', 'list'],
  PromotionCodes: ['create', 'retrieve', 'list'],
  Subscriptions: ['create', 'retrieve', 'update', 'cancel', 'list', 'resume', 'deleteDiscount'],
  Invoices: ['retrieve', 'list', 'pay', 'voidInvoice', 'finalizeInvoice', 'createPreview'],
  InvoicePayments: ['list'],
  PaymentIntents: ['retrieve', 'confirm'],
  SetupIntents: ['create', 'retrieve', 'confirm'],
  Events: ['retrieve', 'list'],
  WebhookEndpoints: ['create'],
}

/** The types call every number `number`; these may have a fraction, all others are integers. */
const fractions = ['application_fee_percent', 'amount_percent', 'percent_off', 'height', 'length', 'weight', 'width']

/** What the types leave optional and Stripe demands: the endpoint, where in it, and the names of which one must come. */
const demands: [route: string, within: string[], oneOf: string, why: string][] = [
  ['POST /v1/subscriptions', [], 'customer|customer_account', 'optional since either may be the one who pays'],
  ['POST /v1/subscriptions', [], 'items', 'a subscription is to something'],
  ['POST /v1/subscriptions', ['items'], 'price|price_data', 'a new item has a price of its own or makes one'],
  ['POST /v1/subscriptions/{id}', ['items'], 'price|price_data|id', 'an item is a price to add, or the one to change'],
  ['POST /v1/prices', [], 'product|product_data', 'a price is for a product, which it may make'],
  ['POST /v1/coupons', [], 'percent_off|amount_off', 'a coupon takes something off'],
  ['POST /v1/promotion_codes', ['promotion'], 'coupon', 'the one type of promotion is a coupon'],
  ['POST /v1/payment_methods', [], 'type|payment_method', 'optional since a method may be cloned from another'],
  ['POST /v1/payment_methods/{id}/attach', [], 'customer|customer_account', 'it is attached to somebody'],
]

let published: Record<string, Fields> | undefined

/** The parameters of each endpoint, by verb and path, as the installed client declares them and Stripe demands them. */
export function publishedParameters(): Record<string, Fields> {
  published ??= read()
  return published
}

/** Every unknown, missing or ill-typed parameter of a request, in the words of a test that fails. */
export function faultsOf(request: { method: string; path: string; params: Record<string, unknown> }): string[] {
  const [path] = request.path.split('?')
  const route = routeOf(`${request.method.toUpperCase()} ${path}`)
  return route
    ? faultsIn(request.params, route, '')
    : [`${request.method} ${path} is no endpoint of test/billing/published.ts`]
}

function read(): Record<string, Fields> {
  const endpoints = Object.entries(methods).flatMap(([resource, names]) => {
    const routes = routesOf(resource)
    const module = declarations(new URL(`${resource}.d.ts`, resources))
    return names.map((name): [string, Fields] => [had(routes[name], `${resource}.${name}`), parametersOf(module, name)])
  })
  const all = Object.fromEntries(endpoints)
  for (const [route, within, oneOf] of demands) demand(had(all[route], route), within, oneOf)
  return all
}

function demand(fields: Fields, within: string[], oneOf: string): void {
  const target = within.reduce((at, name) => fieldsOf(at.object[name], name), fields)
  for (const name of oneOf.split('|')) had(target.object[name], name)
  target.required = [...(target.required ?? []), oneOf]
}

function fieldsOf(shape: Shape, name: string): Fields {
  const [found] = choices(shape).flatMap((one) => {
    if (typeof one === 'string') return []
    if ('array' in one) return fieldsOf(one.array, name)
    return 'object' in one ? one : []
  })
  return had(found, name)
}

/** Verb and path of each method, from the code that sends it. */
function routesOf(resource: string): Record<string, string> {
  const source = readFileSync(new URL(`${resource}.js`, resources), 'utf8')
  const sent = source.matchAll(/^ {4}(\w+)\(.*\) \{\s+return this\._makeRequest\('(\w+)', [`'](.+?)[`'],/gm)
  return Object.fromEntries(
    Array.from(sent, ([, name, verb, path]) => [name, `${verb} ${path.replace(/\$\{\w+\((\w+)\)\}/g, '{$1}')}`]),
  )
}

/** The names that one file or namespace declares, and those around it. */
interface Scope {
  types: Map<string, () => Shape>
  namespaces: Map<string, Scope>
  methods: Map<string, () => Shape>
  around?: Scope
}

const modules = new Map<string, Scope>()

function declarations(file: URL): Scope {
  const known = modules.get(file.href)
  if (known) return known
  const scope = scopeOf(file, parseSync(readFileSync(file, 'utf8'), { syntax: 'typescript' }).body)
  modules.set(file.href, scope)
  return scope
}

function scopeOf(file: URL, body: (ModuleItem | Statement)[], around?: Scope): Scope {
  const scope: Scope = { types: new Map(), namespaces: new Map(), methods: new Map(), around }
  for (const item of body) declare(scope, file, item)
  return scope
}

function declare(scope: Scope, file: URL, item: ModuleItem | Statement): void {
  const declared = item.type === 'ExportDeclaration' ? item.declaration : item
  switch (declared.type) {
    case 'TsTypeAliasDeclaration':
      scope.types.set(declared.id.value, () => shapeOf(scope, declared.typeAnnotation))
      return
    case 'TsInterfaceDeclaration':
      scope.types.set(declared.id.value, () => {
        const own = membersOf(scope, declared.body.body)
        return declared.extends.map(({ expression }) => resolve(scope, expression as TsEntityName)).reduce(joined, own)
      })
      return
    case 'TsModuleDeclaration':
      if (declared.body?.type === 'TsModuleBlock')
        scope.namespaces.set(declared.id.value, scopeOf(file, declared.body.body, scope))
      return
    case 'ImportDeclaration':
      for (const { type, local } of declared.specifiers)
        if (type === 'ImportSpecifier')
          scope.types.set(local.value, () => {
            const source = new URL(declared.source.value.replace(/\.js$/, '.d.ts'), file)
            return had(declarations(source).types.get(local.value), local.value)()
          })
      return
    case 'ClassDeclaration':
      for (const member of declared.body) {
        if (member.type !== 'ClassMethod' || member.key.type !== 'Identifier') continue
        const params = member.function.params.map(({ pat }) => pat).find(isParams)
        if (params) scope.methods.set(member.key.value, () => shapeOf(scope, annotated(params)))
      }
  }
}

function isParams(pattern: Pattern): pattern is BindingIdentifier {
  return pattern.type === 'Identifier' && 'value' in pattern && pattern.value === 'params'
}

function parametersOf(module: Scope, method: string): Fields {
  return fieldsOf(had(module.methods.get(method), method)(), method)
}

function shapeOf(scope: Scope, type: TsType): Shape {
  switch (type.type) {
    case 'TsKeywordType':
      if (type.kind === 'null') return ''
      if (type.kind === 'number') return 'integer'
      if (type.kind === 'string' || type.kind === 'boolean') return type.kind
      break
    case 'TsLiteralType':
      if (type.literal.type === 'StringLiteral') return type.literal.value === '' ? '' : { enum: [type.literal.value] }
      break
    case 'TsTypeLiteral':
      return membersOf(scope, type.members)
    case 'TsUnionType':
      return union(type.types.filter((one) => nameOf(one) !== 'OtherString').map((one) => shapeOf(scope, one)))
    case 'TsTypeReference': {
      const of = () => shapeOf(scope, had(type.typeParams?.params[0], 'a type parameter'))
      const name = nameOf(type)
      if (name === 'Array') return { array: of() }
      if (name === 'Emptyable') return union(['', of()])
      if (name === 'Decimal') return 'number'
      return resolve(scope, type.typeName)
    }
  }
  throw new Error(`No shape is known for ${JSON.stringify(type)}.`)
}

function nameOf(type: TsType): string | undefined {
  return type.type === 'TsTypeReference' && type.typeName.type === 'Identifier' ? type.typeName.value : undefined
}

function membersOf(scope: Scope, members: TsTypeElement[]): Shape {
  const fields: Fields = { object: {} }
  for (const member of members) {
    if (member.type === 'TsIndexSignature') return { map: shapeOf(scope, annotated(member)) }
    if (member.type !== 'TsPropertySignature' || member.key.type !== 'Identifier') throw new Error(member.type)
    const name = member.key.value
    fields.object[name] = fractions.includes(name) ? fraction(annotated(member)) : shapeOf(scope, annotated(member))
    if (!member.optional) fields.required = [...(fields.required ?? []), name]
  }
  return fields

  function fraction(type: TsType): Shape {
    return union(choices(shapeOf(scope, type)).map((one) => (one === 'integer' ? 'number' : one)))
  }
}

function annotated(member: { typeAnnotation?: { typeAnnotation: TsType } }): TsType {
  return had(member.typeAnnotation, 'a type').typeAnnotation
}

/** Looks a name up where it stands, then in what is around it, as TypeScript does. */
function resolve(scope: Scope, name: TsEntityName): Shape {
  const path = pathOf(name)
  const last = had(path.pop(), 'a name')
  for (let at: Scope | undefined = scope; at; at = at.around) {
    const within: Scope | undefined = path.reduce((inner: Scope | undefined, one) => inner?.namespaces.get(one), at)
    const found = within?.types.get(last)
    if (found) return found()
  }
  throw new Error(`${[...path, last].join('.')} is declared nowhere.`)
}

function pathOf(name: TsEntityName): string[] {
  return name.type === 'Identifier' ? [name.value] : [...pathOf(name.left), name.right.value]
}

function joined(own: Shape, parent: Shape): Shape {
  const [mine, theirs] = [fieldsOf(own, 'an interface'), fieldsOf(parent, 'its parent')]
  const required = [...new Set([...(mine.required ?? []), ...(theirs.required ?? [])])]
  return { object: { ...theirs.object, ...mine.object }, ...(required.length > 0 && { required }) }
}

/** One list of choices without repetition; on the wire a number is no less a string, and literals make one list. */
function union(shapes: Shape[]): Shape {
  const all = shapes.flatMap(choices)
  const literals = all.flatMap((one) => (typeof one === 'object' && 'enum' in one ? one.enum : []))
  const others = all.filter((one) => typeof one === 'string' || !('enum' in one))
  const text = others.includes('string') ? others.filter((one) => one !== 'integer') : others
  const list = [...new Set(text), ...(literals.length > 0 ? [{ enum: literals }] : [])]
  return list.length === 1 ? list[0] : list
}

function choices(shape: Shape): Kind[] {
  return Array.isArray(shape) ? shape : [shape]
}

function had<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`The installed client declares no ${name} where one was looked for.`)
  return value
}

function routeOf(request: string): Fields | undefined {
  const all = publishedParameters()
  const matching = Object.keys(all).filter((route) =>
    new RegExp(`^${route.replace(/\{\w+\}/g, '[^/]+')}$`).test(request),
  )
  return matching.length > 0 ? all[matching.find((route) => route === request) ?? matching[0]] : undefined
}

/** What is wrong with a value by the published shape; it shares no code with the local server, which it checks. */
function faultsIn(value: unknown, shape: Shape, at: string): string[] {
  if (value === undefined) return []
  if (typeof value !== 'object' || value === null) {
    const text = String(value ?? '')
    return choices(shape).some((kind) => takes(kind, text)) ? [] : [`${at} is '${text}', not ${describe(shape)}`]
  }
  const entries = Object.entries(value)
  if (entries.length === 0 && at) return [`${at} is empty, which the client sends as nothing at all`]
  const among = (inner: Shape) => entries.flatMap(([name, one]) => faultsIn(one, inner, inside(at, name)))
  for (const kind of choices(shape)) {
    if (typeof kind === 'string' || 'enum' in kind) continue
    if ('map' in kind) return among(kind.map)
    if ('array' in kind && Array.isArray(value)) return among(kind.array)
    if ('object' in kind && !Array.isArray(value)) return fieldFaults(Object.fromEntries(entries), kind, at)
  }
  return [`${at} is ${Array.isArray(value) ? 'a list' : 'an object'}, not ${describe(shape)}`]
}

function fieldFaults(value: Record<string, unknown>, { object, required = [] }: Fields, at: string): string[] {
  const missing = required.filter((oneOf) => !oneOf.split('|').some((name) => value[name] !== undefined))
  return [
    ...missing.map((oneOf) => `${inside(at, oneOf)} is missing`),
    ...Object.entries(value).flatMap(([name, one]) =>
      Object.hasOwn(object, name) ? faultsIn(one, object[name], inside(at, name)) : [`${inside(at, name)} is unknown`],
    ),
  ]
}

function inside(at: string, name: string): string {
  return at ? `${at}[${name}]` : name
}

function takes(kind: Kind, text: string): boolean {
  if (kind === '') return text === ''
  if (text === '') return false
  if (kind === 'integer') return /^-?\d+$/.test(text)
  if (kind === 'number') return /^-?\d+(\.\d+)?$/.test(text)
  if (kind === 'boolean') return text === 'true' || text === 'false'
  if (kind === 'string') return true
  return 'enum' in kind && kind.enum.includes(text)
}

function describe(shape: Shape): string {
  const names = choices(shape).map((one) => {
    if (typeof one === 'string') return one || "''"
    if ('enum' in one) return one.enum.join(', ')
    if ('array' in one) return 'a list'
    return 'an object'
  })
  return names.join(' or ')
}
