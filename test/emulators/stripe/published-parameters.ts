import { readFileSync } from 'node:fs'
import type { Fields } from '../../../src/emulators/stripe/http/parameters.ts'
import { declarations, parametersOf } from './published/declarations.ts'
import { faultsIn } from './published/faults.ts'
import { fieldsOf, had } from './published/shapes.ts'

const resources = new URL('../../../node_modules/stripe/esm/resources/', import.meta.url)

/** The methods of the client that we call or that the local server answers, by the file that declares them. */
const methods = {
  Customers: ['create', 'retrieve', 'update', 'del', 'list', 'listPaymentMethods'],
  PaymentMethods: ['create', 'retrieve', 'update', 'list', 'attach', 'detach'],
  Products: ['create', 'retrieve', 'update', 'list'],
  Prices: ['create', 'retrieve', 'update', 'list'],
  Coupons: ['create', 'retrieve', 'list'],
  PromotionCodes: ['create', 'retrieve', 'list'],
  Subscriptions: ['create', 'retrieve', 'update', 'cancel', 'list', 'pause', 'resume', 'deleteDiscount'],
  SubscriptionSchedules: ['create', 'retrieve', 'release'],
  Invoices: ['retrieve', 'list', 'pay', 'voidInvoice', 'finalizeInvoice', 'createPreview'],
  InvoicePayments: ['list'],
  PaymentIntents: ['retrieve', 'confirm'],
  SetupIntents: ['create', 'retrieve', 'confirm'],
  Refunds: ['create', 'retrieve', 'list'],
  Events: ['retrieve', 'list'],
  WebhookEndpoints: ['create'],
}

/**
 * Parameters that Stripe requires although the types make them optional.
 * Each has its endpoint, its place within the parameters, and the names of which one must be present.
 */
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
    : [`${request.method} ${path} is no endpoint of test/emulators/stripe/published-parameters.ts`]
}

function routeOf(request: string): Fields | undefined {
  const all = publishedParameters()
  const matching = Object.keys(all).filter((route) =>
    new RegExp(`^${route.replace(/\{\w+\}/g, '[^/]+')}$`).test(request),
  )
  return matching.length > 0 ? all[matching.find((route) => route === request) ?? matching[0]] : undefined
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

/** Verb and path of each method, from the code that sends it. */
function routesOf(resource: string): Record<string, string> {
  const source = readFileSync(new URL(`${resource}.js`, resources), 'utf8')
  const sent = source.matchAll(/^ {4}(\w+)\(.*\) \{\s+return this\._makeRequest\('(\w+)', [`'](.+?)[`'],/gm)
  return Object.fromEntries(
    Array.from(sent, ([, name, verb, path]) => [name, `${verb} ${path.replace(/\$\{\w+\((\w+)\)\}/g, '{$1}')}`]),
  )
}
