import type { Drawing } from '../drawing.ts'
import { firstPage } from '../drawing.ts'

/** The parameters of the address that a form does not change, as hidden fields. The result begins at the first page. */
export function KeptParameters({ drawing, without }: { drawing: Drawing; without: (name: string) => boolean }) {
  const kept = [...drawing.view.request.query].filter(([name]) => !(name in firstPage) && !without(name))
  return (
    <>
      {kept.map(([name, value]) => (
        <input type="hidden" name={name} value={value} key={`${name}=${value}`} />
      ))}
    </>
  )
}
