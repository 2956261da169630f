import { type Option, optionsIn } from '../choices.ts'
import type { FormField } from '../engine.ts'
import { ReferenceLookup } from '../parts/script-elements.tsx'
import { referenceTitle } from '../titles.ts'
import type { Words } from '../words/en.ts'
import { type FieldProps, formAddress } from './form.ts'
import { Several } from './several-values.tsx'

/** One field with its label, its description, its bounds and the violations of its value. */
export function Field(props: FieldProps) {
  const { drawing, field, label, description, violations } = props
  const { words } = drawing
  const id = `field-${field.name}`
  // An empty field sends null, where the property may be null.
  const isRequired = field.required && !field.nullable && field.control !== 'checkbox'
  const hint = [description, boundsOf(words, field, drawing.formats.zone)].filter(Boolean).join(' ')
  const described = [hint && `${id}-hint`, ...violations.map((_, index) => `${id}-error-${index}`)]
    .filter(Boolean)
    .join(' ')
  const input = {
    id,
    name: field.name,
    required: isRequired,
    'aria-describedby': described || undefined,
    'aria-invalid': violations.length > 0 || undefined,
  }
  const isGroup = ['groups', 'choices', 'texts', 'references'].includes(field.control)
  const notes = (
    <>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {violations.map(({ message }, index) => (
        <p class="error" id={`${id}-error-${index}`} key={message}>
          {message}
        </p>
      ))}
    </>
  )
  if (isGroup)
    return (
      <fieldset class="field" id={id} aria-describedby={described || undefined}>
        <legend>{label}</legend>
        {/* An empty list is sent as well. */}
        <input type="hidden" name={field.name} value="" />
        <Several {...props} />
        {notes}
      </fieldset>
    )
  return (
    <div class="field">
      <label for={id}>
        {field.control === 'checkbox' && <Checkbox input={input} values={props.values} />}
        {label}
        {isRequired && <span class="required">{words.required}</span>}
      </label>
      {field.control !== 'checkbox' && <Single {...props} input={input} />}
      {notes}
    </div>
  )
}

type Input = { id: string; name: string; required: boolean; autofocus?: boolean }

/** A box that is not ticked is not sent, so a hidden field before it says false. */
function Checkbox({ input, values }: { input: Input; values: URLSearchParams }) {
  return (
    <>
      <input type="hidden" name={input.name} value="false" />
      <input {...input} type="checkbox" value="true" checked={values.getAll(input.name).at(-1) === 'true'} />
    </>
  )
}

/** A field with one value. */
function Single({ drawing, field, type: shape, label, values, choices, input }: FieldProps & { input: Input }) {
  const { words } = drawing
  const { control, min, max, minLength, maxLength, nullable, required } = field
  const value = values.get(field.name) ?? ''
  const lengths = { minLength: required ? minLength : undefined, maxLength }
  const none = nullable || !required || value === ''
  if (control === 'choice')
    return <Choice input={input} value={value} options={optionsIn(drawing, shape, field)} none={none} words={words} />
  if (control === 'reference') {
    const title = value === '' ? value : referenceTitle(drawing, value)
    const select = (
      <Choice
        // The search draws the form again, so the focus moves to the items.
        input={{ ...input, autofocus: values.get(drawing.api.formNames.search) === field.name }}
        value={value}
        title={title}
        options={choices?.options ?? []}
        none={none}
        words={words}
      />
    )
    if (!choices?.isMore && !values.has(drawing.api.formNames.searchText(field.name))) return select
    return (
      <ReferenceLookup drawing={drawing} label={label} source={drawing.to(formAddress(drawing))}>
        {select}
        <Search {...{ drawing, field, values }} />
      </ReferenceLookup>
    )
  }
  if (control === 'textarea' || control === 'json')
    return (
      <textarea {...input} {...lengths} rows={control === 'json' ? 3 : 5}>
        {value}
      </textarea>
    )
  if (control === 'number') return <input {...input} type="number" step="1" min={min} max={max} value={value} />
  if (control === 'date-time') {
    const was = values.get(drawing.api.formNames.drawn(field.name))
    return (
      <>
        {was && <input type="hidden" name={drawing.api.formNames.drawn(field.name)} value={was} />}
        <input {...input} type="datetime-local" value={value} />
      </>
    )
  }
  if (control === 'date') return <input {...input} type="date" value={value} />
  const type = control === 'email' ? 'email' : 'text'
  return <input {...input} {...lengths} type={type as 'text'} value={value} />
}

/** The choices of a reference to many items: a search that draws the form again. */
function Search({
  drawing: { api, words },
  field: { name },
  values,
}: Pick<FieldProps, 'drawing' | 'field' | 'values'>) {
  return (
    <span class="search">
      <input
        type="search"
        name={api.formNames.searchText(name)}
        value={values.get(api.formNames.searchText(name)) ?? ''}
        aria-label={words.findChoices}
      />
      <button type="submit" name={api.formNames.search} value={name} formNoValidate class="plain">
        {words.search}
      </button>
    </span>
  )
}

function Choice({
  input,
  value,
  title = value,
  options,
  none,
  words,
}: {
  input: Input
  value: string
  /** The title of the present value, where it is none of the choices. */
  title?: string
  options: Option[]
  none: boolean
  words: Words
}) {
  const isKnown = value === '' || options.some((option) => option.value === value)
  return (
    <select {...input}>
      {none && <option value="">{words.none}</option>}
      {!isKnown && (
        <option value={value} selected data-unfound>
          {title}
        </option>
      )}
      {options.map((option) => (
        <option value={option.value} selected={option.value === value} key={option.value}>
          {option.title}
        </option>
      ))}
    </select>
  )
}

/** The bounds of a value as a sentence. */
function boundsOf(
  words: Words,
  { control, min, max, minLength = 0, maxLength, maxItems }: FormField,
  zone: string,
): string {
  if (control === 'date-time') return words.inZone(zone)
  if (control === 'json') return words.jsonHint
  if (control === 'reference') return ''
  if (min !== undefined || max !== undefined) return words.range(min, max)
  if (maxItems !== undefined) return words.atMostItems(maxItems)
  return maxLength === undefined || control === 'email' ? '' : words.lengths(minLength, maxLength)
}
