import type { Fields, Kind, Shape } from '../../../../src/emulators/stripe/http/parameters.ts'

export function joined(own: Shape, parent: Shape): Shape {
  const [mine, theirs] = [fieldsOf(own, 'an interface'), fieldsOf(parent, 'its parent')]
  const required = [...new Set([...(mine.required ?? []), ...(theirs.required ?? [])])]
  return { object: { ...theirs.object, ...mine.object }, ...(required.length > 0 && { required }) }
}

/** One list of choices without repetition; on the wire a number is no less a string, and literals make one list. */
export function union(shapes: Shape[]): Shape {
  const all = shapes.flatMap(choices)
  const literals = all.flatMap((one) => (typeof one === 'object' && 'enum' in one ? one.enum : []))
  const others = all.filter((one) => typeof one === 'string' || !('enum' in one))
  const text = others.includes('string') ? others.filter((one) => one !== 'integer') : others
  const list = [...new Set(text), ...(literals.length > 0 ? [{ enum: literals }] : [])]
  return list.length === 1 ? list[0] : list
}

export function choices(shape: Shape): Kind[] {
  return Array.isArray(shape) ? shape : [shape]
}

export function had<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`The installed client declares no ${name} where one was looked for.`)
  return value
}

export function fieldsOf(shape: Shape, name: string): Fields {
  const [found] = choices(shape).flatMap((one) => {
    if (typeof one === 'string') return []
    if ('array' in one) return fieldsOf(one.array, name)
    return 'object' in one ? one : []
  })
  return had(found, name)
}
