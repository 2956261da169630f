import { XMLParser } from 'fast-xml-parser'

/** Nothing is guessed to be a number: account numbers, symbols and titles are full of digits. */
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  htmlEntities: true,
})

type Content = string | { [name: string]: Content | Content[] }

/** An element of XML of which nothing is certain to be there. */
export class Element {
  readonly #content: Content

  constructor(content: Content) {
    this.#content = content
  }

  children(name: string): Element[] {
    const found = this.#get(name)
    return found === undefined ? [] : [found].flat().map((content) => new Element(content))
  }

  child(name: string): Element | undefined {
    return this.children(name)[0]
  }

  attribute(name: string): string | undefined {
    const found = this.#get(`@${name}`)
    return typeof found === 'string' ? trimText(found) : undefined
  }

  /** The text of a child, tidied so that Postgres can store it and that the same text is always the same. */
  text(name: string, longest?: number): string | null {
    return this.child(name)?.words(longest) ?? null
  }

  words(longest?: number): string | null {
    const words = typeof this.#content === 'string' ? this.#content : this.#get('#text')
    return typeof words === 'string' ? trimText(words, longest) || null : null
  }

  #get(name: string): Content | Content[] | undefined {
    const content = this.#content
    return typeof content === 'object' && Object.hasOwn(content, name) ? content[name] : undefined
  }
}

/** The root of Kontomatik's XML; nothing for any other text, which the parser would read as well, and for one cut short. */
export function replyIn(text: string): Element | undefined {
  const start = text.indexOf('<reply')
  if (start < 0 || text.slice(0, start).includes('<!') || !/(<\/reply>|\/>)\s*$/.test(text.slice(-100)))
    return undefined
  try {
    const reply = parser.parse(text)?.reply
    return reply === undefined || Array.isArray(reply) ? undefined : new Element(reply)
  } catch {
    return undefined
  }
}

/** Characters of a text that an index holds: Postgres refuses index entries over 2,704 bytes. */
export const indexable = 255

/** Without control characters and half characters, which Postgres cannot store. */
export function trimText(text: string, longest = 1000): string {
  const whole = text
    .slice(0, 2 * longest)
    .toWellFormed()
    .normalize('NFC')
  return whole
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, longest)
    .toWellFormed()
    .trim()
}
