/** What a name is read with: "an employee", "a user". */
export function indefiniteArticle(name: string): 'a' | 'an' {
  return /^(?!us)[aeiou]/i.test(name) ? 'an' : 'a'
}
