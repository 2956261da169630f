import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createEvent, deliver } from '../../support/billing/stripe-events.ts'
import { jobs } from '../../support/jobs.ts'
import { rowsOf } from '../../support/rows/sample-rows.ts'
import { openWorld } from '../../support/world.ts'
import { type Case, testCaseGroups, unless } from './case-groups.ts'
import { ask, joined, type Route, routes, send, tokens, types } from './route-requests.ts'

const { ending, publicUrl, tenant } = await openWorld()

const mine: Record<string, { id: string }> = await rowsOf(tenant)
const hits: string[] = []
const canary = createServer((request, response) => {
  hits.push(`${request.method} ${request.url}`)
  response.setHeader('Content-Type', 'application/ld+json').end('{"@context":{"name":"urn:name"}}')
}).listen(0, '127.0.0.1')
await once(canary, 'listening')
ending.push(async () => {
  canary.closeAllConnections()
  canary.close()
})
const { port } = canary.address() as AddressInfo
const host = `127.0.0.1:${port}`
const url = `http://${host}/canary`
const addresses = [
  url,
  `http://localhost:${port}/x.png`,
  `//${host}/x`,
  `http://user:pw@${host}/`,
  `HTTP://${host}#pm_1`,
]

const tokenFor = ({ may }: Route) => (may.includes('owner') ? tokens.owner : tokens.operator)
const at = (route: Route) => route.path.replace(':id', mine[route.resource.name]?.id)
const writing = routes.filter(({ method }) => method !== 'GET')

/** Whether it was answered without a visit to the canary, and without its address in what the server says of itself. */
async function quiet(title: string, asking: Promise<{ status: number; headers: object; text: string }>, echo = true) {
  const { status, headers, text } = await asking
  const told = JSON.stringify(headers).includes(host) || (!echo && text.includes(host))
  const sound = status < 500 || status === 503
  return unless(sound && !told && hits.length === 0, `${title}: ${status} ${hits} ${told}`)
}

function* properties(): Generator<Case> {
  for (const route of writing)
    for (const { name } of route.input?.fields ?? [])
      for (const address of addresses)
        for (const value of [address, { '@id': address }, [address], `<img src="${address}"><link href="${address}">`])
          yield () =>
            quiet(
              `${route.title} ${name}`,
              ask({ ...route, path: at(route) }, { token: tokenFor(route), body: { [name]: value } }),
            )
}

const contexts: unknown[] = [
  ...addresses,
  addresses,
  { '@import': url },
  { '@vocab': url, '@base': url },
  { name: { '@id': 'urn:name', '@context': url } },
  { Meeting: { '@id': 'urn:type', '@context': url } },
  [null, url],
  { '@propagate': true, '@import': url },
]

function* graphs(): Generator<Case> {
  for (const route of writing.filter(({ input }) => input)) {
    const token = tokenFor(route)
    for (const context of contexts)
      for (const body of [
        { '@context': context, name: 'x' },
        { '@graph': [{ '@context': context }] },
        { '@id': context, '@type': context },
        { '@included': { '@context': context } },
      ])
        yield () => quiet(`${route.title} in a context`, ask({ ...route, path: at(route) }, { token, body }))
    for (const text of [
      `@base <${url}> . <> a <x> .`,
      `@prefix x: <${url}#> . x:a x:b x:c .`,
      `<> <${url}> <${url}> .`,
    ])
      yield () =>
        quiet(
          `${route.title} in Turtle`,
          send(route.method, at(route), { token, body: text, headers: { 'Content-Type': 'text/turtle' } }),
        )
  }
}

const names = [
  'Referer',
  'Origin',
  'X-Forwarded-Host',
  'X-Forwarded-Server',
  'X-Original-URL',
  'X-Rewrite-URL',
  'Forwarded',
  'Via',
  'From',
  'Content-Location',
  'Link',
  'Location',
  'X-Callback-URL',
  'Destination',
  'True-Client-IP',
  'X-Forwarded-For',
  'X-Wap-Profile',
  'Host',
]

function* headers(): Generator<Case> {
  for (const route of routes)
    for (const name of names) {
      const value =
        { Host: host, 'X-Forwarded-Host': host, Link: `<${url}>; rel="http://www.w3.org/ns/json-ld#context"` }[name] ??
        url
      const type: Record<string, string> = types[route.method] ? { 'Content-Type': types[route.method] } : {}
      const sent = {
        token: tokenFor(route),
        headers: { ...type, [name]: value },
        ...(types[route.method] && { body: '{"x":1}' }),
      }
      if (!/clear|cancel|confirm/.test(route.path) && route.method !== 'DELETE')
        yield () => quiet(`${route.title} with ${name}`, send(route.method, at(route), sent), false)
    }
}

function* queries(): Generator<Case> {
  for (const route of routes.filter(({ method }) => method === 'GET')) {
    const { search } = joined.of(route.operation.members ?? route.resource.entity)
    for (const name of [
      ...search.variables.map(({ name }) => name),
      'url',
      'callback',
      'redirect',
      'next',
      '@context',
      'profile',
    ])
      yield () =>
        quiet(
          `${route.title}?${name}`,
          send('GET', `${at(route)}?${encodeURIComponent(name)}=${encodeURIComponent(url)}`, {
            token: tokenFor(route),
          }),
        )
    yield () =>
      quiet(
        `${route.title} at another server`,
        send('GET', `http://${host}${at(route)}`, { token: tokenFor(route), at: publicUrl }),
      )
  }
}

const kinds = [
  'invoice.paid',
  'customer.updated',
  'customer.subscription.updated',
  'payment_method.attached',
  'charge.failed',
]

function* events(): Generator<Case> {
  for (const kind of kinds)
    for (const object of [
      { id: url, object: url, customer: url },
      { id: 'in_1', customer: 'cus_1', invoice_pdf: url, url, hosted_invoice_url: url },
    ])
      yield () => quiet(kind, deliver(createEvent(kind, object, { account: url, api_version: url })))
  yield async () => {
    await jobs.followCustomer({ customer: 'cus_1' }).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 300))
    return unless(hits.length === 0, `in the end: ${hits}`)
  }
}

testCaseGroups('API7', {
  'An address in a header is never visited, nor taken for ours': headers(),
  'nor one in a query': queries(),
  'nor one in a context or a graph': graphs(),
  'nor one in a property': properties(),
  'nor one in an event': events(),
})
