import type { Role } from '../../../src/access/roles.ts'
import { joined, type Route, resources, writes } from './route-requests.ts'

type Rows = Record<string, { id: string }>

/** Names of privileged properties that no client may write. */
const privilegedNames = [
  ...['role', 'roles', 'operator', 'admin', 'isAdmin', 'permissions', 'scope', 'owner', 'ownerId', 'user', 'userId'],
  ...[
    'tenant',
    'organization',
    'organizationId',
    'version',
    '@id',
    '@type',
    'trial',
    'trialDays',
    'trial_end',
    'price',
  ],
  ...['coupon', 'discounts', 'paid', 'balance', 'password', 'subject', 'issuer', 'token', 'tokenHash', 'secret'],
]

/** A value that a property would keep, if it were let in. */
export function valuesOf({ resource, input }: Route, name: string, theirs: Rows): unknown[] {
  const column = joined.shape(resource.entity).metadata?.columns.find(({ propertyName }) => propertyName === name)
  const target = input?.field.get(name)?.target?.name ?? (/^organization(Id)?$/.test(name) ? 'Organization' : undefined)
  const path = resources.find(({ name }) => name === target)?.path
  if (target && theirs[target]) return [name.endsWith('Id') ? theirs[target].id : `${path}/${theirs[target].id}`]
  const known: Record<string, unknown[]> = {
    boolean: [true, false],
    integer: [4242],
    smallint: [42],
    uuid: [theirs.User.id],
    jsonb: [[{ name: 'planted', status: 'ready', updatedAt: '2031-03-03T03:03:03Z' }]],
    'timestamp with time zone': ['2031-03-03T03:03:03Z'],
  }
  if (name === 'role' || name === 'roles') return ['owner']
  if (name === 'stripeCustomerId') return ['cus_planted']
  return known[String(column?.type)] ?? ['planted']
}

/** The properties that a route does not accept from a role, and the stored ones that the API does not expose. */
export function forbiddenProperties(route: Route, role: Role): string[] {
  const { fields = [], metadata } = joined.shape(route.resource.entity)
  const stored = [...(metadata?.columns ?? []), ...(metadata?.relations ?? [])].map(({ propertyName }) => propertyName)
  const named = [...fields, ...(route.input?.fields ?? [])].map(({ name }) => name)
  return [...new Set([...named, ...stored])].filter((name) => !writes(route, name, role))
}

/** One body for each property, and then one body with all of them and all privileged names. */
export function forbiddenBodies(route: Route, role: Role, theirs: Rows): object[] {
  const names = forbiddenProperties(route, role)
  const all = [...names, ...privilegedNames].filter((name) => !writes(route, name, role))
  return [
    ...names.flatMap((name) => valuesOf(route, name, theirs).map((value) => ({ [name]: value }))),
    Object.fromEntries(all.map((name) => [name, valuesOf(route, name, theirs)[0]])),
  ]
}
