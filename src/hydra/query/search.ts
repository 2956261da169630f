import type { ApiModel } from '../model/api-model.ts'
import type { Role } from '../model/caller.ts'
import type { Variable } from '../model/filter.ts'
import { Problem } from '../model/problem.ts'
import type { Resource } from '../model/resource.ts'
import type { Shape } from '../model/shape.ts'
import { compileFilters, foldedColumn, idVariable, textVariable } from './filters.ts'
import { containsWords } from './sql-condition.ts'

/** The query variables of every collection, beside its filters, each with its Hydra property. */
const common: [variable: string, property: string][] = [
  ['page', 'hydra:pageIndex'],
  ['itemsPerPage', 'hydra:limit'],
  ['properties[]', 'hydra:property'],
]

/** The end of a list variable in a template: `[]`, percent-encoded. */
const list = '%5B%5D'

/** The filters and sort properties of a collection, and their IRI template. */
export interface Search {
  variables: Variable[]
  sortable: string[]
  /** The properties with a column that the role sees in every row: rows may be grouped and summed by them. */
  columns: Set<string>
  /** The IRI template that collections carry (Hydra Core, §5.3). */
  template: object
}

/** The search of each role. A role cannot filter or sort by a property that it does not see. */
export function searchesOf(api: ApiModel, resource: Resource, shape: Shape, whole: Search): Map<Role, Search> {
  return new Map(
    api.roles.all.map((role) => {
      const concealed = resource.concealed(role)
      return [role, concealed.size > 0 ? compileSearch(api, resource, shape, concealed) : whole]
    }),
  )
}

/** Prepares the search of a resource. @throws Error at boot when a filter or a sort names a property that it lacks */
export function compileSearch(api: ApiModel, resource: Resource, shape: Shape, concealed = new Set<string>()): Search {
  const { store, whole } = resource.options
  const dimmed = whole ? resource.concealed(whole.otherwise) : new Set<string>()
  const seen = (name: string) => !concealed.has(name)
  const filters = Object.fromEntries(Object.entries(resource.options.filters ?? {}).filter(([name]) => seen(name)))
  const asked = (name: string) => seen(name) && !dimmed.has(name)
  const { text = [] } = resource.options
  const order = resource.options.order?.filter(asked) ?? []
  const { metadata } = shape
  const wholly = (variable: Variable): Variable =>
    whole && dimmed.has(variable.property) ? within(whole.when, variable) : variable
  const variables = metadata
    ? [
        idVariable(api, shape, metadata.tableName),
        ...(store?.search?.variables ?? compileFilters(api, shape, { filters, text }, metadata).map(wholly)),
      ]
    : []
  // One column holds all texts of a row, so only roles that see all of them may search it.
  if (metadata && text.length > 0 && text.every(asked)) {
    if (!metadata.columns.some(({ databaseName }) => databaseName === 'searchText'))
      throw new Error(`${shape.name} cannot be searched for text: it needs a column "searchText" and its trigger.`)
    variables.push(textVariable((key, values) => containsWords(foldedColumn(metadata), key, values)))
  }
  const sortable = resource.listed ? ['id', ...(store ? (store.search?.sortable ?? []) : order)] : []
  for (const name of store ? [] : sortable)
    if (!metadata?.columns.some(({ propertyName, isNullable }) => propertyName === name && !isNullable))
      throw new Error(`${shape.name} cannot be ordered by "${name}": it needs a column that is never null.`)
  return {
    variables,
    sortable,
    columns: columnsOf(shape, store ? () => false : asked),
    template: templateOf(api, resource, variables, sortable),
  }
}

function columnsOf({ fields, metadata }: Shape, isSeen: (name: string) => boolean): Set<string> {
  const stored = new Set(metadata?.columns.map(({ propertyName }) => propertyName))
  return new Set(fields.map(({ name }) => name).filter((name) => stored.has(name) && isSeen(name)))
}

/** A variable that finds rows of a condition alone. */
function within(condition: string, variable: Variable): Variable {
  return {
    ...variable,
    condition(given, key) {
      const { sql, ...rest } = variable.condition(given, key)
      return { ...rest, sql: `(${sql} AND (${condition}))` }
    },
  }
}

function templateOf(api: ApiModel, { path }: Resource, variables: Variable[], sortable: string[]): object {
  const taken: [variable: string, property: string][] = [
    ...variables.flatMap(({ name, property }): [string, string][] =>
      name.includes('[') || name === 'q'
        ? [[name, property]]
        : [
            [name, property],
            [`${name}[]`, property],
          ],
    ),
    ...sortable.map((property): [string, string] => [
      `order[${property}]`,
      property === 'id' ? 'schema:identifier' : property,
    ]),
    ...common,
  ]
  const written = taken.map(([name, property]) =>
    mapping(api.iris.at(`${path}#${variableOf(name)}`), variableOf(name), property),
  )
  const bracketed = taken.filter(([name]) => name.includes('['))
  const plain = bracketed.map(([name, property]) =>
    mapping(api.iris.at(`${path}#${variableOf(name)}/name`), name, property),
  )
  return api.spell({
    '@type': 'IriTemplate',
    template: `${api.iris.at(path)}{?${written.map(({ variable }) => (variable.endsWith(list) ? `${variable}*` : variable)).join(',')}}`,
    variableRepresentation: 'BasicRepresentation',
    mapping: [...written, ...plain],
  })
}

function mapping(iri: string, variable: string, property: string) {
  return { '@id': iri, '@type': 'IriTemplateMapping', variable, property, required: false }
}

/**
 * The name of a parameter in a template, where RFC 6570 §2.3 allows no brackets. The mapping has both names, because clients
 * of API Platform look for `order[name]`.
 */
function variableOf(name: string): string {
  return name.replace('[', '%5B').replace(']', '%5D')
}

/** The template of a collection that is asked for at a path of its own, such as the invoices of a subscription. */
export function templateAt(root: string, path: string, { template }: Search, resource: Resource): object {
  if (path === resource.path) return template
  return Object.fromEntries(
    Object.entries(template).map(([name, value]) =>
      /template$/.test(name) ? [name, root + path + value.slice((root + resource.path).length)] : [name, value],
    ),
  )
}

const always = ['page', 'itemsPerPage', 'after', 'before', 'properties']

/** The parameters of pages alone: the part, the picture or the form that a page shows, and its language. */
export const pageParameters: readonly string[] = ['view', 'lang']

/** The parameters of a query, by their names, that the collection does not know. */
export function unknownParameters(names: Iterable<string>, { variables, sortable }: Search): string[] {
  const repeatable = new Set(['properties', ...variables.map(({ name }) => name)])
  const known = new Set([...always, ...repeatable, ...sortable.map((property) => `order[${property}]`)])
  return [...names].filter((name) => !known.has(name) && !repeatable.has(name.replace(/\[\d*\]$/, '')))
}

/** Whether a parameter names a property that is wanted. */
export const isSelection = (name: string): boolean => /^properties(\[\d*\])?$/.test(name)

/**
 * Which properties a query wants to see, of items and of members; undefined for all. An empty name asks for nothing.
 * @throws Problem 400 with those names where nothing is to be passed over
 */
export function sparseOf(query: URLSearchParams, shape: Shape, strict: boolean): Set<string> | undefined {
  if (query.size === 0) return undefined
  const names = [...query].filter(([name]) => isSelection(name)).flatMap(([, value]) => value || [])
  const isKnown = (name: string) => shape.field.has(name) || shape.links.has(name) || name === '@id' || name === '@type'
  const unknown = names.filter((name) => !isKnown(name))
  if (strict && unknown.length > 0)
    throw new Problem(
      400,
      `${shape.name} has no property ${unknown.map((name) => `"${name.slice(0, 100)}"`).join(', ')}.`,
    )
  return names.length > 0 ? new Set(names) : undefined
}

/** Leaves of a node what is wanted, and who it is. */
export function sparse<T extends Record<string, unknown>>(node: T, wanted: Set<string> | undefined): T {
  if (!wanted) return node
  return Object.fromEntries(Object.entries(node).filter(([name]) => name.startsWith('@') || wanted.has(name))) as T
}
