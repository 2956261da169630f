/** Letters that Unicode does not decompose into a Latin letter and a mark, or that end a word in a form of their own. */
const letters: Record<string, string> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  þ: 'th',
  ł: 'l',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ŧ: 't',
  ı: 'i',
  ς: 'σ',
}

const special = /[ßæœþłøđðħŧıς]/g

/** Writes a text without case, accents and kinds of white space, as the function "fold_text" of the database does. */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(special, (letter) => letters[letter])
    .replace(/[\t\n\r]/g, ' ')
}

/** The different words of a folded text. */
export function wordsOf(folded: string): string[] {
  return [...new Set(folded.split(' ').filter((word) => word !== ''))]
}
