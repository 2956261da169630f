import { propertiesOf } from '../support/docs.ts'

/** The properties of a class whose values are numbers, by the documentation. */
export function numbersOf(type: string): string[] {
  return propertiesOf(type)
    .filter(({ readable, property: { range } }) => readable && ['xsd:decimal', 'xsd:integer'].includes(`${range}`))
    .map(({ title }) => title)
}
