import { STATUS_CODES } from 'node:http'
import type { Class, Operation } from './operation.ts'
import type { Resource } from './resource.ts'

/** An operation as the documentation has it: what it is for, what it takes, gives and can answer. */
export function describeOperation(resource: Resource, operation: Operation): object {
  const input = inputOf(operation, resource.entity)
  const title = operation.title(resource.name)
  return {
    '@id': `#${operation.name}${resource.name}`,
    '@type': ['Operation', ...actions(operation)],
    method: operation.method,
    title,
    description: [sentence(operation, operation.subject ?? resource.name), `${title}.`, operation.description]
      .filter(Boolean)
      .join(' '),
    ...(input && { expects: `#${input.name}` }),
    ...(operation.method === 'PATCH' && { expectsHeader: [contentType('application/merge-patch+json')] }),
    ...(operation.expects === 'file' && { expectsHeader: [contentType('multipart/form-data')] }),
    returns:
      operation.returns === 'item'
        ? `#${resource.name}`
        : operation.returns === 'collection'
          ? 'hydra:Collection'
          : 'owl:Nothing',
    possibleStatus: describeStatuses(statusesOf(resource, operation)),
  }
}

export function describeStatuses(statuses: number[]): object[] {
  return statuses.map((statusCode) => ({ '@type': 'Status', statusCode, title: STATUS_CODES[statusCode] }))
}

/** Every status an operation can answer, in order: its own, and those that follow from what it is. */
function statusesOf({ options }: Resource, { statuses, may, method, path, returns }: Operation): number[] {
  const guarded = may?.includes('anonymous') ? [401] : [401, 403]
  const paged = returns === 'collection' ? [400] : []
  const body = method === 'POST' || method === 'PATCH' ? [400, 413, 415] : []
  const respelled = options.canonical && path === '/:id' ? [301] : []
  return [...new Set([...statuses, ...guarded, ...paged, ...body, ...respelled, 406, 429, 503])].sort((a, b) => a - b)
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
