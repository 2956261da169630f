import { memberLabelOf } from '../words/labels.ts'
import type { FieldProps } from './form.ts'

/** Empty rows at the end of a list of objects. Further rows appear once these are saved. */
const spareRows = 2

/** A list of objects: one row of fields for each. A row whose fields are all empty is not sent. */
export function Groups({
  drawing: { api, tag, words },
  type,
  field: { name, group = [], maxItems = Number.MAX_SAFE_INTEGER },
  values,
  violations,
}: Pick<FieldProps, 'drawing' | 'type' | 'field' | 'values' | 'violations'>) {
  const indexes = [...values.keys()].flatMap((key) =>
    key.startsWith(`${name}[`) ? (/\[(\d+)\]/.exec(key)?.[1] ?? []) : [],
  )
  const used = new Set(indexes.map(Number)).size
  const count = Math.min(maxItems, used + spareRows)
  return (
    <>
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a page is drawn once
        <div class="row" key={index}>
          {group.map((member) => {
            const key = `${name}[${index}][${member.name}]`
            const label = memberLabelOf(api, tag, type, name, member.name)
            const isInvalid = violations.some(({ propertyPath }) => propertyPath.includes(`[${index}].${member.name}`))
            return (
              <label key={key}>
                {label}
                <input
                  type="text"
                  name={key}
                  value={values.get(key) ?? ''}
                  maxLength={member.maxLength}
                  aria-label={`${words.entry(index + 1)}: ${label}`}
                  aria-invalid={isInvalid || undefined}
                />
              </label>
            )
          })}
        </div>
      ))}
    </>
  )
}
