import type { Drawing } from '../drawing.ts'
import type { FormField } from '../engine.ts'
import { ScrollingTable } from '../parts/scrolling-table.tsx'
import { referenceTitle } from '../titles.ts'
import { labelOf, memberLabelOf, valueLabelOf } from '../words/labels.ts'
import type { Form } from './form.ts'
import { itemValues } from './form-values.ts'

/** The fields whose values differ: the typed one, and the stored one. */
export function Versions({ drawing, form }: { drawing: Drawing; form: Form }) {
  const { api, tag, words, view } = drawing
  const type = form.shape?.name ?? ''
  const stored = itemValues(drawing, form.fields, view.document)
  const differing = form.fields.filter((field) => `${valuesOf(field, form.values)}` !== `${valuesOf(field, stored)}`)
  if (differing.length === 0) return null
  return (
    <ScrollingTable label={words.compare} heads={[words.property, words.yours, words.stored]}>
      {differing.map((field) => (
        <tr key={field.name}>
          <th scope="row">{labelOf(api, tag, type, field.name)}</th>
          <td>{textOf(drawing, type, field, form.values)}</td>
          <td>{textOf(drawing, type, field, stored)}</td>
        </tr>
      ))}
    </ScrollingTable>
  )
}

/** The values of a field as its form sends them. Of a list of objects, each value has the name of its input before it. */
function valuesOf({ name, control }: FormField, values: URLSearchParams): string[] {
  if (control === 'checkbox') return values.getAll(name).slice(-1)
  if (control !== 'groups') return values.getAll(name).filter(Boolean)
  return [...values].filter(([key, value]) => key.startsWith(`${name}[`) && value !== '').map((pair) => pair.join('='))
}

/** The values of a field in the language of the page. */
function textOf(drawing: Drawing, type: string, field: FormField, values: URLSearchParams): string {
  const texts = valuesOf(field, values).map((value) => shown(drawing, type, field, value))
  return texts.join(', ') || '–'
}

function shown(drawing: Drawing, type: string, { name, control }: FormField, value: string): string {
  const { api, tag, words, formats } = drawing
  if (control === 'checkbox') return value === 'true' ? words.yes : words.no
  if (control === 'choice' || control === 'choices') return valueLabelOf(api, tag, type, name, value)
  if (control === 'reference' || control === 'references') return referenceTitle(drawing, value)
  if (control === 'date-time') return formats.wallTime(value)
  if (control === 'date') return formats.date(value)
  if (control === 'number') return formats.number(value)
  if (control !== 'groups') return value
  const [, member, text] = /\[(\w+)\]=(.*)$/s.exec(value) ?? []
  return `${memberLabelOf(api, tag, type, name, member)}: ${text}`
}
