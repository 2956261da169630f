/** One element of a list header (RFC 9110 §5.6.1), with its parameters by lower-case name. */
export interface Element {
  item: string
  parameters: Map<string, string>
}

/** Parses a list header in linear time; a regular expression with repetitions could take quadratic time. */
export function elementsOf(header: string): Element[] {
  return split(header, ',').map((text) => {
    const [item = '', ...parameters] = split(text, ';')
    // The first of two equal parameters counts, so the map is filled in reverse.
    return { item: item.trim(), parameters: new Map(parameters.map(pairOf).reverse()) }
  })
}

/** The lower-case name and the value of `name="value"`; a missing value is empty. */
export function pairOf(text: string): [name: string, value: string] {
  const equals = text.indexOf('=')
  if (equals < 0) return [text.trim().toLowerCase(), '']
  return [text.slice(0, equals).trim().toLowerCase(), unquoted(text.slice(equals + 1).trim())]
}

/** Splits a text at the separators outside quotes. */
function split(text: string, separator: string): string[] {
  const parts: string[] = []
  let start = 0
  let isQuoted = false
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (isQuoted && character === '\\') index++
    else if (character === '"') isQuoted = !isQuoted
    else if (character === separator && !isQuoted) {
      parts.push(text.slice(start, index))
      start = index + 1
    }
  }
  return [...parts, text.slice(start)]
}

function unquoted(text: string): string {
  if (text.length < 2 || text[0] !== '"' || text.at(-1) !== '"') return text
  return text.slice(1, -1).replace(/\\(.)/gs, '$1')
}
