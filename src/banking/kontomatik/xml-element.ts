import { XMLParser } from 'fast-xml-parser'

/** Values stay text: account numbers and titles consist of digits, too. */
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  htmlEntities: true,
})

type Content = string | { [name: string]: Content | Content[] }

/** An XML element. Every child and attribute may be missing. */
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

  /** The text of a child, normalized: Postgres can store it, and equal texts compare as equal. */
  text(name: string, maxLength?: number): string | null {
    return this.child(name)?.words(maxLength) ?? null
  }

  words(maxLength?: number): string | null {
    const words = typeof this.#content === 'string' ? this.#content : this.#get('#text')
    return typeof words === 'string' ? trimText(words, maxLength) || null : null
  }

  #get(name: string): Content | Content[] | undefined {
    const content = this.#content
    return typeof content === 'object' && Object.hasOwn(content, name) ? content[name] : undefined
  }
}

/** The root of Kontomatik's XML; undefined for truncated XML and for any other text, which the parser would accept. */
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

/** The limit, in characters, of an indexed text: Postgres refuses index entries over 2,704 bytes. */
export const indexable = 255

/** Removes control characters and lone surrogates, which Postgres cannot store. */
export function trimText(text: string, maxLength = 1000): string {
  const whole = text
    .slice(0, 2 * maxLength)
    .toWellFormed()
    .normalize('NFC')
  return whole
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, maxLength)
    .toWellFormed()
    .trim()
}
