/** XML or HTML that is safe to put into more of it. */
export interface Markup {
  markup: string
}

/** Everything beyond ASCII becomes a numeric entity, as it does in Kontomatik's own replies. */
export function escapeText(text: string): string {
  return text.toWellFormed().replace(/[^\n\x20-\x7e]|[&<>"']/gu, (sign) => `&#x${sign.codePointAt(0)?.toString(16)};`)
}

/** An element; attributes and children that are not given are left out. */
export function element(
  name: string,
  attributes: Record<string, string | number | undefined> = {},
  ...children: (Markup | string | number | undefined)[]
): Markup {
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined)
  const start = [name, ...given.map(([key, value]) => `${key}="${escapeText(String(value))}"`)].join(' ')
  const content = children
    .filter((child) => child !== undefined)
    .map((child) => (typeof child === 'object' ? child.markup : escapeText(String(child))))
  return { markup: content.length ? `<${start}>${content.join('')}</${name}>` : `<${start}/>` }
}
