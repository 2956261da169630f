import { STATUS_CODES } from 'node:http'
import type { Role } from '../model/caller.ts'
import type { Class } from '../model/class.ts'
import { type Operation, tenantRoles } from '../model/operation.ts'
import type { Resource } from '../model/resource.ts'

/** An operation as the documentation has it: what it is for, what it takes, gives and can answer. */
export function describeOperation(resource: Resource, operation: Operation): object {
  const input = inputOf(operation, resource.entity)
  return {
    '@id': `#${operation.name}${resource.name}`,
    '@type': ['Operation', ...actions(operation)],
    method: operation.method,
    roles: operation.may ?? tenantRoles,
    ...sayings(resource, operation),
    ...(input && { expects: `#${input.name}` }),
    ...(operation.method === 'PATCH' && { expectsHeader: [contentType('application/merge-patch+json')] }),
    ...(operation.expects === 'file' && { expectsHeader: [contentType('multipart/form-data')] }),
    returns:
      operation.returns === 'item'
        ? `#${resource.name}`
        : operation.returns === 'collection'
          ? 'hydra:Collection'
          : 'owl:Nothing',
    possibleStatus: describeStatuses(statusesOf(operation)),
  }
}

/** What an operation is for, in our own words, and then in the reference's and ours. */
export function sayings(resource: Resource, operation: Operation): { title: string; description: string } {
  const title = operation.title(resource.name)
  const said = [sentence(operation, operation.subject ?? resource.name), `${title}.`, operation.description]
  said.push(rolesSaid(operation.may ?? tenantRoles))
  return { title, description: said.filter(Boolean).join(' ') }
}

/** Which roles may call an operation, as a sentence. */
function rolesSaid(may: readonly Role[]): string {
  if (may.includes('anonymous')) return 'Needs no token.'
  if (!may.includes('guest')) return `For ${listed(may)}.`
  return `For any token${may.includes('operator') ? '' : ' but the operator’s'}, also one that acts for no organization.`
}

/** Names roles as a sentence does: "the admin or the owner". */
export function listed(names: readonly Role[]): string {
  const known = names.filter((role) => role !== 'guest' && role !== 'anonymous').map((role) => `the ${role}`)
  return known.length > 1 ? `${known.slice(0, -1).join(', ')} or ${known.at(-1)}` : known.join('')
}

/** A status is one node, whichever operations can answer it. */
export function describeStatuses(statuses: number[]): object[] {
  return statuses.map((statusCode) => ({
    '@id': `#Status/${statusCode}`,
    '@type': 'Status',
    statusCode,
    title: STATUS_CODES[statusCode],
  }))
}

/** Every status an operation can answer, in order: its own, and those that follow from what it is. */
export function statusesOf({ statuses, may, method, path, returns, callsExternalService }: Operation): number[] {
  const guarded = may?.includes('anonymous') ? [401] : [401, 403]
  const conditional = method === 'GET' ? [412] : []
  const paged = returns === 'collection' ? [400] : []
  const body = method === 'POST' || method === 'PATCH' ? [400, 413, 415] : []
  const keyed = method === 'POST' ? [409, 422] : []
  const beyond = callsExternalService ? [502] : []
  const minimal = method !== 'GET' && returns === 'item' && statuses.includes(200) ? [204] : []
  const respelled = path.includes(':id') ? [method === 'GET' ? 301 : 308] : []
  const own = [
    ...statuses,
    ...guarded,
    ...conditional,
    ...paged,
    ...body,
    ...keyed,
    ...minimal,
    ...respelled,
    ...beyond,
  ]
  return [...new Set([...own, 406, 429, 503])].sort((a, b) => a - b)
}

/** The class of an operation's body. */
export function inputOf({ expects }: Operation, type: Class): Class | undefined {
  if (expects === 'self') return type
  return typeof expects === 'function' ? expects : undefined
}

/** The reference's own sentence, to the letter. */
function sentence({ method, returns }: Operation, name: string): string {
  if (method === 'GET')
    return returns === 'collection' ? `Retrieves the collection of ${name} resources.` : `Retrieves a ${name} resource.`
  if (method === 'POST') return `Creates a ${name} resource.`
  return method === 'PATCH' ? `Updates the ${name} resource.` : `Removes the ${name} resource.`
}

function actions({ method, path }: Operation): string[] {
  if (method === 'GET') return ['schema:FindAction']
  if (method === 'DELETE') return ['schema:DeleteAction']
  if (method === 'PATCH') return ['schema:UpdateAction']
  return path === '' ? ['schema:CreateAction'] : []
}

function contentType(type: string): object {
  return { headerName: 'Content-Type', possibleValue: [type] }
}
