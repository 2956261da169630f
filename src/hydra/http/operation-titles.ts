import { indefiniteArticle } from '../model/labels.ts'

/** The words of a class name: `OrganizationUser` → "organization user". */
export function wordsOf(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
}

/** A class name as a singular noun: "a meeting", "an employee". */
export function singularOf(name: string): string {
  return `${indefiniteArticle(name)} ${wordsOf(name)}`
}

/** A class name as a plural noun: "meetings", "countries", "organization addresses". */
export function pluralOf(name: string): string {
  const words = wordsOf(name)
  if (/[^aeiou]y$/.test(words)) return `${words.slice(0, -1)}ies`
  return words + (/(s|x|z|ch|sh)$/.test(words) ? 'es' : 's')
}
