import type { ComponentChild, VNode } from 'preact'
import { jsxEscape, jsxTemplate } from 'preact/jsx-runtime'

/**
 * Markup for parts that a page has by the hundred: Preact's precompiled form of JSX, one node in place of one an element. Preact
 * escapes each value. A value in an attribute stands between double quotes.
 */
export function markup(texts: readonly string[], ...values: ComponentChild[]): VNode {
  return jsxTemplate(texts as string[], ...values.map(jsxEscape))
}

/**
 * A text in which dashes are entities. One character beyond Latin-1 makes V8 hold the whole page with two bytes a character. Such a
 * text takes several times as long to join and to encode.
 */
export function withDashes(text: string): VNode {
  const parts = text.replaceAll('\u2009', '\u00a0').split('\u2013')
  return markup(['', ...parts.slice(1).map(() => '&ndash;'), ''], ...parts)
}
