import type { ApiModel } from '../model/api-model.ts'
import type { Caller } from '../model/caller.ts'
import type { Class } from '../model/class.ts'
import { indefiniteArticle } from '../model/labels.ts'
import type { Violation } from '../model/problem.ts'
import type { Resource } from '../model/resource.ts'
import type { Field, Shape } from '../model/shape.ts'
import type { Executor, Store } from '../model/store.ts'

interface Sent {
  field: Field
  iri: string
  id: string
}

/** The resolved references of a body. Each value is an entity that holds only its id; the other references are violations. */
export interface Resolved {
  values: Record<string, { id: string } | null>
  violations: Violation[]
}

/** The request that sends references. */
interface Sender {
  api: ApiModel
  caller: Caller
  executor: Executor
  /** Called where a reference is left to the foreign key of the row. Absent where every reference is looked up. */
  leaveToKey?: () => void
}

/** Finds the rows that the body's references name, with one query per class. Rows that the caller may not see count as unknown. */
export async function resolveReferences(
  sender: Sender,
  shape: Shape,
  sent: [field: Field, value: unknown][],
): Promise<Resolved> {
  const { api } = sender
  const resolved: Resolved = { values: {}, violations: [] }
  const byTarget = new Map<Resource, Sent[]>()
  for (const [field, value] of sent) {
    const target = api.resourceOf(field.target as Class)
    const iri = iriOf(value)
    if (value === null) resolved.values[field.name] = null
    else if (iri === undefined) resolved.violations.push(malformed(api, field, target))
    else {
      const named = api.iris.parse(iri)
      if (named?.resource !== target) resolved.violations.push(unknown(field, iri))
      else byTarget.set(target, [...(byTarget.get(target) ?? []), { field, iri, id: named.id }])
    }
  }
  await Promise.all(
    [...byTarget].map(async ([{ entity }, references]) => {
      const known = await knownOf(sender, shape, api.storeOf(entity), references)
      for (const { field, iri, id } of references)
        if (known.has(id)) resolved.values[field.name] = Object.assign(Object.create(entity.prototype), { id })
        else resolved.violations.push(unknown(field, iri))
    }),
  )
  // The queries end in any order. Sorting gives the same body the same response.
  const place = ({ propertyPath }: Violation) => sent.findIndex(([{ name }]) => name === propertyPath)
  resolved.violations.sort((one, other) => place(one) - place(other))
  return resolved
}

/** The ids among those of references that the caller may refer to. */
async function knownOf({ caller, executor, leaveToKey }: Sender, shape: Shape, store: Store, sent: Sent[]) {
  const ids = new Set(sent.map(({ id }) => id).filter((id) => store.accepts(id)))
  if (ids.size === 0) return ids
  if (leaveToKey && store.isScopedByTenant?.(caller) && sent.every(({ field }) => hasKey(shape, field))) {
    leaveToKey()
    return ids
  }
  return new Set(await store.existing(executor, caller, [...ids]))
}

/** Whether a foreign key holds the reference to the rows of the own tenant. At boot, each key of two columns is found to name it. */
function hasKey({ metadata }: Shape, { key }: Field): boolean {
  return (
    metadata?.foreignKeys.some(
      ({ columns }) => columns.length === 2 && columns.some(({ propertyName }) => propertyName === key),
    ) ?? false
  )
}

/** The IRI of a reference, which is a string or a node with an `@id`. */
function iriOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  const id = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)['@id'] : undefined
  return typeof id === 'string' ? id : undefined
}

const unknown = ({ name, target }: Field, iri: string): Violation => ({
  propertyPath: name,
  message: `"${iri.slice(0, 200)}" is not the IRI of a known ${target?.name}.`,
  code: 'unknownReference',
})

const malformed = (api: ApiModel, { name }: Field, resource: Resource): Violation => ({
  propertyPath: name,
  message: `${name} must be the IRI of ${indefiniteArticle(resource.name)} ${resource.name}, such as "${api.iris.at(resource.path)}/…".`,
  code: 'isReference',
})
