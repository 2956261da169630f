import type { Drawing } from '../drawing.ts'
import type { Field, Shape } from '../engine.ts'

/** The property with the currency of a class's amounts. */
export function currencyField({ fields }: Shape): Field | undefined {
  return fields.find(({ term }) => /^schema:(priceC|c)urrency$/.test(term.iri))
}

/** How a property holds an amount of money, in a class with a currency; undefined for other numbers. */
export function amountUnit(
  { api }: Pick<Drawing, 'api'>,
  shape: Shape,
  { name, datatype }: Field,
): 'minor' | 'whole' | undefined {
  if (api.contexts.read(shape.name).minorUnits?.includes(name)) return 'minor'
  return datatype === 'xsd:decimal' ? 'whole' : undefined
}

/** Writes an amount of a property; without a currency, as a number. */
export function writeAmount(
  { formats }: Pick<Drawing, 'formats'>,
  unit: 'minor' | 'whole',
  amount: string | number,
  currency: string | null,
): string {
  if (currency === null) return formats.number(amount)
  return unit === 'minor' ? formats.minorUnits(amount, currency) : formats.money(amount, currency)
}
