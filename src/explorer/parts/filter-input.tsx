import { type Choices, type Option, optionsIn } from '../choices.ts'
import { type Drawing, pathOf } from '../drawing.ts'
import type { Field } from '../engine.ts'
import { referenceTitle } from '../titles.ts'
import type { Words } from '../words/en.ts'
import { labelOf } from '../words/labels.ts'
import { searchTextOf, valuesOf } from './filter-state.ts'
import { ReferenceLookup } from './script-elements.tsx'

interface InputProps {
  drawing: Drawing
  /** The name of the class. */
  type: string
  field: Field
  /** The variable of the search, which is the name of the parameter. */
  name: string
  /** Of a reference: the items that it can lead to. */
  choices?: Choices
}

/** The field of a form for one variable of a search. */
export function FilterInput({ drawing, type, field, name, choices }: InputProps) {
  const { words, view } = drawing
  const values = valuesOf(view.request.query, name)
  if (name.startsWith('exists[')) return <Existence words={words} name={name} values={values} />
  const id = `filter-${name}`
  const options = optionsOf(drawing, type, field, choices)
  const label = /\[/.test(name) ? boundOf(words, name) : labelOf(drawing.api, drawing.tag, type, field.name)
  const text = searchTextOf(drawing, name)
  if (field.kind === 'reference' && values.length < 2 && (choices?.isMore || text !== undefined))
    return <Lookup drawing={drawing} id={id} label={label} name={name} values={values} choices={choices} text={text} />
  return (
    <label htmlFor={id}>
      <span class={/\[/.test(name) ? undefined : 'hidden'}>{label}</span>
      {options ? (
        <Choice id={id} name={name} values={values} options={options} any={words.any} />
      ) : (
        <input id={id} name={name} {...(inputOf(drawing, field, name, values[0] ?? '') as { type: 'text' })} />
      )}
    </label>
  )
}

/** A choice of one value, or of several where the address has several. */
function Choice({
  id,
  name,
  values,
  options,
  any,
}: {
  id: string
  name: string
  values: string[]
  options: Option[]
  any: string
}) {
  const several = values.length > 1
  const known = options.map(({ value }) => value)
  const unknown = values.filter((value) => !known.includes(value)).map((value) => ({ value, title: value }))
  return (
    <select id={id} name={several ? `${name}[]` : name} multiple={several}>
      {!several && <option value="">{any}</option>}
      {[...options, ...unknown].map(({ value, title }) => (
        <option value={value} selected={values.includes(value)} key={value}>
          {title}
        </option>
      ))}
    </select>
  )
}

/** A reference to many items: a select of those that a text finds, and the search for that text. */
function Lookup({
  drawing,
  id,
  label,
  name,
  values,
  choices,
  text = '',
}: {
  drawing: Drawing
  id: string
  label: string
  name: string
  values: string[]
  choices?: Choices
  text?: string
}) {
  const { api, words } = drawing
  const known = choices?.options ?? []
  const present = values.filter((value) => value !== '' && known.every((option) => option.value !== value))
  const options = [...known, ...present.map((value) => ({ value, title: referenceTitle(drawing, value) }))]
  return (
    <div>
      <label htmlFor={id} class="hidden">
        {label}
      </label>
      <ReferenceLookup
        drawing={drawing}
        label={label}
        source={drawing.to(`${pathOf(drawing)}?view=filters&itemsPerPage=1`)}
      >
        <Choice id={id} name={name} values={values} options={options} any={words.any} />
        <span class="search">
          <input type="search" name={api.formNames.searchText(name)} value={text} aria-label={words.findChoices} />
          <button type="submit" class="plain">
            {words.search}
          </button>
        </span>
      </ReferenceLookup>
    </div>
  )
}

/** Two boxes: an empty choice would not leave the parameter out, and an empty `exists` means true. */
function Existence({ words, name, values }: { words: Words; name: string; values: string[] }) {
  const given = values.map((value) => !/^(false|0)$/.test(value))
  return (
    <>
      {[true, false].map((wanted) => (
        <label key={`${wanted}`}>
          <input type="checkbox" name={name} value={`${wanted}`} checked={given.includes(wanted)} />
          {wanted ? words.filledIn : words.empty}
        </label>
      ))}
    </>
  )
}

function optionsOf(drawing: Drawing, type: string, field: Field, choices?: Choices): Option[] | undefined {
  const { datatype, values } = field
  const { yes, no } = drawing.words
  if (datatype === 'xsd:boolean')
    return [
      { value: 'true', title: yes },
      { value: 'false', title: no },
    ]
  if (values) return optionsIn(drawing, type, field)
  return choices && choices.options.length > 0 ? choices.options : undefined
}

/** The type of a field, and its value in the form that the type needs. */
function inputOf(
  { formats }: Drawing,
  { datatype }: Field,
  name: string,
  value: string,
): { type: string; value: string } {
  const isBound = /\[(strictly_)?(before|after)\]$/.test(name)
  if (datatype === 'xsd:date' && /^(\d{4}-\d\d-\d\d)?$/.test(value)) return { type: 'date', value }
  if (datatype === 'xsd:dateTime' && isBound) {
    const local = formats.localTime(value)
    return local === undefined ? { type: 'text', value } : { type: 'datetime-local', value: local }
  }
  if (/\[between\]$/.test(name)) return { type: 'text', value }
  return datatype === 'xsd:integer' || datatype === 'xsd:decimal'
    ? { type: 'number', value }
    : { type: 'search', value }
}

function boundOf(words: Words, name: string): string {
  const bounds: Record<string, string> = {
    after: words.after,
    strictly_after: `> ${words.after}`,
    before: words.before,
    strictly_before: `< ${words.before}`,
    gte: words.from,
    gt: '>',
    lte: words.to,
    lt: '<',
  }
  const bound = /\[(\w+)\]$/.exec(name)?.[1] ?? ''
  return bounds[bound] ?? name
}
