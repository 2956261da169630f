/** A form's values are texts; only the names tell lists and hashes apart. */
export type Value = string | Value[] | Params

export interface Params {
  [name: string]: Value
}

interface OpenHash {
  [name: string]: string | OpenHash
}

/** Reads `items[0][price]=…&expand[]=…` as Stripe does: numbers and empty brackets make lists. */
export function parseForm(form: string): Params {
  const root = openHash()
  for (const [name, value] of new URLSearchParams(form)) {
    const [first, ...rest] = name.split('[').map((part, place) => (place ? part.replace(/\]$/, '') : part))
    assign(root, [first, ...rest], value)
  }
  return Object.fromEntries(Object.entries(root).map(([name, value]) => [name, toValue(value)]))
}

const openHash = (): OpenHash => Object.create(null)

function assign(hash: OpenHash, [name, ...rest]: string[], value: string): void {
  const key = name === '' ? String(Object.keys(hash).length) : name
  if (!rest.length) {
    hash[key] = value
    return
  }
  const inner = hash[key]
  const next = typeof inner === 'object' ? inner : openHash()
  hash[key] = next
  assign(next, rest, value)
}

function toValue(value: string | OpenHash): Value {
  if (typeof value === 'string') return value
  const entries = Object.entries(value)
  const settled = entries.map(([, inner]) => toValue(inner))
  if (entries.length && entries.every(([key]) => /^\d+$/.test(key))) return settled
  return Object.fromEntries(entries.map(([key], place) => [key, settled[place]]))
}
