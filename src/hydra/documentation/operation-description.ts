import { STATUS_CODES } from 'node:http'
import type { BoundApi } from '../http/bound-api.ts'
import type { Role } from '../model/caller.ts'
import type { Class } from '../model/class.ts'
import type { Deprecation, Operation } from '../model/operation.ts'
import type { Resource } from '../model/resource.ts'

/** An operation in the Hydra documentation: its purpose, input, output and possible statuses. */
export function describeOperation(api: BoundApi, resource: Resource, operation: Operation): object {
  const input = inputOf(operation, resource.entity)
  return {
    '@id': `#${operation.name}${resource.name}`,
    '@type': ['Operation', ...actions(operation)],
    method: operation.method,
    roles: api.permissions.rolesOf(operation),
    ...operationTexts(api, resource, operation),
    ...(operation.deprecated && { 'owl:deprecated': true }),
    ...(input && { expects: `#${input.name}` }),
    ...(operation.method === 'PATCH' && { expectsHeader: [contentType('application/merge-patch+json')] }),
    ...(operation.expects === 'file' && { expectsHeader: [contentType('multipart/form-data')] }),
    returns:
      operation.returns === 'item'
        ? `#${(operation.members ?? resource.entity).name}`
        : operation.returns === 'collection'
          ? 'hydra:Collection'
          : 'owl:Nothing',
    possibleStatus: statusNodes(statusesOf(api, operation)),
  }
}

/** The title of an operation, and its description: the reference's sentence, the title, details, who may call it. */
export function operationTexts(
  api: BoundApi,
  resource: Resource,
  operation: Operation,
): { title: string; description: string } {
  const { subject = resource.name, description, deprecated } = operation
  const title = operation.title(resource.name)
  const sentences = [
    referenceSentence(operation, subject),
    `${title}.`,
    description,
    rolesSentence(api, operation),
    deprecated && deprecationSentence(deprecated),
  ]
  return { title, description: sentences.filter(Boolean).join(' ') }
}

function deprecationSentence({ since, sunset, page }: Deprecation): string {
  const end = sunset ? `, and may stop working on ${sunset}` : ''
  return `Deprecated since ${since}${end}: see ${page}.`
}

/** Which roles may call an operation, as a sentence. */
function rolesSentence({ permissions, roles, tenancy }: BoundApi, operation: Operation): string {
  const allowed = permissions.rolesOf(operation)
  if (permissions.isPublic(operation)) return 'Needs no token.'
  const people = operation.peopleOnly ? ' Not for programs.' : ''
  if (!permissions.isForGuests(operation)) return `For ${joinRoles({ roles }, allowed)}.${people}`
  const others = roles.all.filter((role) => role !== roles.anonymous && !allowed.includes(role))
  const except = others.length > 0 ? ` but ${joinRoles({ roles }, others)}’s` : ''
  return `For any token${except}, also one that acts for no ${tenancy.name}.${people}`
}

/** Joins roles for a sentence: "the admin or the owner". */
export function joinRoles({ roles }: Pick<BoundApi, 'roles'>, names: readonly Role[]): string {
  const known = names.filter((role) => role !== roles.guest && role !== roles.anonymous).map((role) => `the ${role}`)
  return known.length > 1 ? `${known.slice(0, -1).join(', ')} or ${known.at(-1)}` : known.join('')
}

/** All operations share one node for each status. */
export function statusNodes(statuses: number[]): object[] {
  return statuses.map((statusCode) => ({
    '@id': `#Status/${statusCode}`,
    '@type': 'Status',
    statusCode,
    title: STATUS_CODES[statusCode],
  }))
}

/** Every status that an operation can return, in order: its own, and those that follow from its method and input. */
export function statusesOf({ permissions }: BoundApi, operation: Operation): number[] {
  const { statuses, method, path, returns, callsExternalService } = operation
  const authorization = permissions.isPublic(operation) ? [401] : [401, 403]
  const conditional = method === 'GET' ? [412] : []
  const paged = returns === 'collection' ? [400] : []
  const body = method === 'POST' || method === 'PATCH' ? [400, 413, 415] : []
  const idempotent = method === 'POST' ? [409, 422] : []
  const external = callsExternalService ? [502] : []
  const minimal = method !== 'GET' && returns === 'item' && statuses.includes(200) ? [204] : []
  const canonical = path.includes(':id') ? [method === 'GET' ? 301 : 308] : []
  const own = [
    ...statuses,
    ...authorization,
    ...conditional,
    ...paged,
    ...body,
    ...idempotent,
    ...minimal,
    ...canonical,
    ...external,
  ]
  return [...new Set([...own, 406, 429, 503])].sort((a, b) => a - b)
}

/** The class of an operation's body. */
export function inputOf({ expects }: Operation, type: Class): Class | undefined {
  if (expects === 'self') return type
  return typeof expects === 'function' ? expects : undefined
}

/** The reference's own sentence, to the letter. */
export function referenceSentence({ method, returns }: Operation, name: string): string {
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
