import { optionsIn } from '../choices.ts'
import type { FieldProps } from './form.ts'
import { Groups } from './groups.tsx'

/** A field with several values. */
export function Several({ drawing, field, type, values, violations, choices }: FieldProps) {
  const { words } = drawing
  const { name, control, maxLength, maxItems = 5 } = field
  const given = values.getAll(name).filter((text) => text !== '')
  if (control === 'groups') return <Groups {...{ drawing, type, field, values, violations }} />
  const options = control === 'choices' ? optionsIn(drawing, type, field) : (choices?.options ?? [])
  if (options.length > 0)
    return (
      <>
        {options.map(({ value, title }) => (
          <label key={value}>
            <input type="checkbox" name={name} value={value} checked={given.includes(value)} />
            {title}
          </label>
        ))}
      </>
    )
  const rows = [...given, ...Array.from({ length: Math.max(0, Math.min(2, maxItems - given.length)) }, () => '')]
  return (
    <>
      {rows.map((text, index) => (
        <input
          // biome-ignore lint/suspicious/noArrayIndexKey: a page is drawn once
          key={index}
          type="text"
          name={name}
          value={text}
          maxLength={maxLength}
          aria-label={words.entry(index + 1)}
        />
      ))}
    </>
  )
}
