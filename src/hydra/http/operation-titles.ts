import { indefiniteArticle } from '../model/labels.ts'

/** The words of a class name: `OrganizationUser` → "organization user". */
export function wordsOf(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
}

/** A class name as a singular noun: "a meeting", "an employee". */
function singularOf(name: string): string {
  return `${indefiniteArticle(name)} ${wordsOf(name)}`
}

/** A class name as a plural noun: "meetings", "countries", "organization addresses". */
function pluralOf(name: string): string {
  const words = wordsOf(name)
  if (/[^aeiou]y$/.test(words)) return `${words.slice(0, -1)}ies`
  return words + (/(s|x|z|ch|sh)$/.test(words) ? 'es' : 's')
}

/** The titles of the engine's own operations, by the name of the operation. */
export const genericTitles = {
  list: (name: string) => `List ${pluralOf(name)}`,
  read: (name: string) => `Read ${singularOf(name)}`,
  create: (name: string) => `Create ${singularOf(name)}`,
  update: (name: string) => `Update ${singularOf(name)}`,
  remove: (name: string) => `Delete ${singularOf(name)}`,
}
