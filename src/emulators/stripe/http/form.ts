/** A form's values are texts; only the names tell lists and hashes apart. */
export type Value = string | Value[] | Params

export interface Params {
  [name: string]: Value
}

interface Draft {
  [name: string]: string | Draft
}

/** Reads `items[0][price]=…&expand[]=…` as Stripe does: numbers and empty brackets make lists. */
export function parse(form: string): Params {
  const root = draft()
  for (const [name, value] of new URLSearchParams(form)) {
    const [first, ...rest] = name.split('[').map((part, place) => (place ? part.replace(/\]$/, '') : part))
    put(root, [first, ...rest], value)
  }
  return Object.fromEntries(Object.entries(root).map(([name, value]) => [name, settle(value)]))
}

const draft = (): Draft => Object.create(null)

function put(hash: Draft, [name, ...rest]: string[], value: string): void {
  const key = name === '' ? String(Object.keys(hash).length) : name
  if (!rest.length) {
    hash[key] = value
    return
  }
  const inner = hash[key]
  const next = typeof inner === 'object' ? inner : draft()
  hash[key] = next
  put(next, rest, value)
}

function settle(value: string | Draft): Value {
  if (typeof value === 'string') return value
  const entries = Object.entries(value)
  const settled = entries.map(([, inner]) => settle(inner))
  if (entries.length && entries.every(([key]) => /^\d+$/.test(key))) return settled
  return Object.fromEntries(entries.map(([key], place) => [key, settled[place]]))
}
