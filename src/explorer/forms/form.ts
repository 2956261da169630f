import { v7 as uuid } from 'uuid'
import type { Problem, Violation } from '../../hydra/index.ts'
import type { Drawing } from '../drawing.ts'
import type { Document, FormField, OfferedOperation, PageView, Shape } from '../engine.ts'
import type { Option } from '../reference-options.ts'
import { titleOf } from '../titles.ts'
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

/** The most items of a choice; a person searches among more. */
const mostChoices = 30

/** The name of the field with the text that the choices of a reference are searched by. */
export const searchName = (name: string) => `_find[${name}]`

/** The items that a reference can name. */
export interface Choices {
  options: Option[]
  /** Whether there are more of them, so that a search is needed. */
  isMore: boolean
}

export type ChoicesOf = ReadonlyMap<string, Choices>

/** The first items of each reference's class. */
export type ReadChoices = [name: string, shape: Shape, documents: Document[]][]

/** Reads the items that each reference of a form can name. */
export function readChoices(
  { api, view }: Pick<Drawing, 'api' | 'view'>,
  offered: OfferedOperation,
): Promise<ReadChoices> {
  const { fields } = fieldsOf(api, view, offered)
  return Promise.all(
    fields.flatMap(({ name, target }) => {
      if (!target) return []
      const shape = api.shape(target)
      const text = view.refused?.fields.get(searchName(name))?.trim() || undefined
      const read = view.list(shape.class, mostChoices + 1, text)
      return [read.then((documents): ReadChoices[number] => [name, shape, documents])]
    }),
  )
}

export function choicesOf(drawing: Pick<Drawing, 'api' | 'tag' | 'formats'>, read: ReadChoices): ChoicesOf {
  return new Map(
    read.map(([name, shape, documents]) => [
      name,
      {
        options: documents
          .slice(0, mostChoices)
          .map((document) => ({ value: document['@id'] as string, title: titleOf(drawing, shape, document) })),
        isMore: documents.length > mostChoices,
      },
    ]),
  )
}

/** The class of the body of an operation, and the fields that the caller may fill in. */
export function fieldsOf(
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
  const { operation } = offered
  const stored =
    operation.method === 'PATCH'
      ? itemValues(fields, view.content?.items[0] ?? view.document, formats)
      : shape && defaultValues(fields, shape)
  const { fields: sent, problem } = view.refused ?? {}
  return { offered, shape, fields, values: sent ?? stored ?? new URLSearchParams(), problem, key: uuid() }
}

/** The choices of a closed set of values. */
export const optionsIn = (values: string[] = []): Option[] => values.map((value) => ({ value, title: value }))
