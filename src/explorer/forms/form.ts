import { randomUUID } from 'node:crypto'
import type { Problem, Violation } from '../../hydra/index.ts'
import { type Choices, type ChoicesOf, type ReadChoices, readChoices } from '../choices.ts'
import { type Drawing, pathOf } from '../drawing.ts'
import type { FormField, OfferedOperation, PageView, Shape } from '../engine.ts'
import { searchTextOf } from '../parts/filter-state.ts'
import { returnPath } from '../session/return-path.ts'
import type { Referring } from '../titles.ts'
import { defaultValues, itemValues } from './form-values.ts'

/** The parameter of a page that opens the form of an operation. */
export const formParameter = 'view'

/** A form of one operation: its fields, their values, and the reason why it was refused. */
export interface Form {
  offered: OfferedOperation
  /** The class of the body; undefined for an operation without one. */
  shape: Shape | undefined
  fields: FormField[]
  values: URLSearchParams
  problem?: Problem
  /** A form of a POST that is sent twice runs once. */
  key: string
}

/** One field of a drawn form. */
export interface FieldProps {
  drawing: Drawing
  field: FormField
  /** The name of the class of the body. */
  type: string
  label: string
  description?: string
  values: URLSearchParams
  violations: Violation[]
  /** The items that a reference can name. */
  choices?: Choices
}

/** The name of an operation's form among those of a page: the link that leads to it, or its own name. */
export function formName({ link, operation: { name } }: OfferedOperation): string {
  return link && link !== name ? `${link}.${name}` : name
}

/** The operation whose form a page shows: the refused one, or the one that the address names. */
export function shownOperation({ refused, operations, request }: PageView): OfferedOperation | undefined {
  if (refused) return refused.offered
  const names = request.query.getAll(formParameter)
  return operations.find((offered) => offered.operation.method !== 'GET' && names.includes(formName(offered)))
}

/** The address of the form that a page shows, also where the page is the answer to that form. */
export function formAddress({ api, view }: Pick<Drawing, 'api' | 'view'>): string {
  const offered = shownOperation(view)
  const path = offeringPage({ api, view })
  return offered ? `${path}?${formParameter}=${formName(offered)}` : path
}

/** The path of the page that offers the form. A form that is drawn again has sent it. */
export function offeringPage({ api, view }: Pick<Drawing, 'api' | 'view'>): string {
  if (!view.refused) return pathOf({ api, view })
  return returnPath(view.refused.fields.get(api.formNames.page), api.iris.publicUrl) ?? (view.document['@id'] as string)
}

/** The references of a form whose titles are not among its choices: those that it holds, and after a 412 those that are stored. */
export function formReferences({ view }: Pick<Drawing, 'view'>, form: Form, choices: ChoicesOf): Referring[] {
  const { fields, values, problem } = form
  const isUnknown = ({ name }: FormField) => {
    const known = new Set(choices.get(name)?.options.map(({ value }) => value))
    return (iri: unknown) => !known.has(iri as string)
  }
  const referring = fields.filter(({ target }) => target)
  const unknown = (valuesOf: (name: string) => unknown) =>
    Object.fromEntries(referring.map((field) => [field.name, [valuesOf(field.name)].flat().filter(isUnknown(field))]))
  const stored = problem?.status === 412 ? [unknown((name) => view.document[name] ?? [])] : []
  return [{ fields: referring, items: [unknown((name) => values.getAll(name)), ...stored] }]
}

/** Reads the items that each reference of a form can name: those that its search text finds, where the person has sent one. */
export function readFormChoices(drawing: Pick<Drawing, 'api' | 'view'>, { fields }: Form): Promise<ReadChoices> {
  const { api, view } = drawing
  const sent = view.refused?.fields
  return readChoices(
    drawing,
    fields,
    (name) => sent?.get(api.formNames.searchText(name))?.trim() || searchTextOf(drawing, name),
  )
}

/** The class of the body of an operation, and the fields that the caller may fill in. */
function fieldsOf(
  api: Drawing['api'],
  { caller }: PageView,
  { operation, resource }: OfferedOperation,
): Pick<Form, 'shape' | 'fields'> {
  const { expects } = operation
  if (!expects || expects === 'file') return { shape: undefined, fields: [] }
  const shape = api.shape(expects === 'self' ? resource.entity : expects)
  return { shape, fields: api.formFields(shape, operation, caller) }
}

/** The form that a page shows. */
export function formOf({ api, view, formats }: Omit<Drawing, 'titles'>, offered: OfferedOperation): Form {
  const { shape, fields } = fieldsOf(api, view, offered)
  const { fields: sent, problem } = view.refused ?? {}
  const values =
    sent ??
    (offered.operation.method === 'PATCH'
      ? itemValues({ api, formats }, fields, view.content?.items[0] ?? view.document)
      : newValues(view, fields, shape))
  return { offered, shape, fields, values, problem, key: randomUUID() }
}

/** The values that a form begins with: the defaults of its class, and the item whose page offers it. */
function newValues({ content }: PageView, fields: FormField[], shape: Shape | undefined): URLSearchParams {
  const values = shape ? defaultValues(fields, shape) : new URLSearchParams()
  if (!content || content.collection) return values
  for (const { name, target } of fields)
    if (target === content.shape.class) values.set(name, content.items[0]['@id'] as string)
  return values
}
