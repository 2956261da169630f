import type { Api, Bound } from '../api.ts'
import { indefiniteArticle } from '../model/article.ts'
import type { Caller } from '../model/caller.ts'
import type { Violation } from '../model/problem.ts'
import type { Field } from '../model/shape.ts'
import type { Executor } from '../store/statement.ts'

interface Sent {
  field: Field
  iri: string
  id: string
}

/** What the references of a body came to: entities that hold an id alone, and what was wrong with the others. */
export interface Resolved {
  values: Record<string, { id: string } | null>
  violations: Violation[]
}

/** Finds the rows that a body's references name, in one query a class; rows of strangers do not exist. */
export async function resolveReferences(
  api: Api,
  executor: Executor,
  caller: Caller,
  sent: [field: Field, value: unknown][],
): Promise<Resolved> {
  const resolved: Resolved = { values: {}, violations: [] }
  const byTarget = new Map<Bound, Sent[]>()
  for (const [field, value] of sent) {
    const bound = api.of(field.target as NonNullable<Field['target']>)
    const iri = iriOf(value)
    if (value === null) resolved.values[field.name] = null
    else if (iri === undefined) resolved.violations.push(malformed(api, field, bound))
    else {
      const named = api.parse(iri)
      if (named?.bound !== bound) resolved.violations.push(unknown(field, iri))
      else byTarget.set(bound, [...(byTarget.get(bound) ?? []), { field, iri, id: named.id }])
    }
  }
  await Promise.all([...byTarget].map(([bound, references]) => look(bound, executor, caller, references, resolved)))
  // Queries end in any order, and the same body should get the same answer.
  const place = ({ propertyPath }: Violation) => sent.findIndex(([{ name }]) => name === propertyPath)
  resolved.violations.sort((one, other) => place(one) - place(other))
  return resolved
}

async function look(bound: Bound, executor: Executor, caller: Caller, sent: Sent[], resolved: Resolved): Promise<void> {
  const ids = [...new Set(sent.map(({ id }) => id).filter((id) => bound.store.accepts(id)))]
  const known = new Set(ids.length > 0 ? await bound.store.existing(executor, caller, ids) : [])
  for (const { field, iri, id } of sent)
    if (known.has(id)) resolved.values[field.name] = Object.assign(Object.create(bound.shape.class.prototype), { id })
    else resolved.violations.push(unknown(field, iri))
}

/** A reference is an IRI, or a node that has nothing else to say than its IRI. */
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

const malformed = (api: Api, { name }: Field, { resource }: Bound): Violation => ({
  propertyPath: name,
  message: `${name} must be the IRI of ${indefiniteArticle(resource.name)} ${resource.name}, such as "${api.at(resource.path)}/…".`,
  code: 'isReference',
})
