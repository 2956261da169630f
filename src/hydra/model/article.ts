/** The indefinite article of a name: "an employee", "a user". */
export function indefiniteArticle(name: string): 'a' | 'an' {
  return /^(?!us)[aeiou]/i.test(name) ? 'an' : 'a'
}
