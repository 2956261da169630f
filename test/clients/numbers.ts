import { propertiesOf } from '../support/docs.ts'

/** The numeric properties of a class according to the documentation. */
export function numbersOf(type: string): string[] {
  return propertiesOf(type)
    .filter(({ readable, property: { range } }) => readable && ['xsd:decimal', 'xsd:integer'].includes(`${range}`))
    .map(({ title }) => title)
}
