import type { ComponentChild, VNode } from 'preact'
import { jsxEscape, jsxTemplate } from 'preact/jsx-runtime'

/**
 * Markup for parts that a page has by the hundred: Preact's precompiled form of JSX, one node in place of one an element. Preact
 * escapes each value. A value in an attribute stands between double quotes.
 */
export function markup(texts: readonly string[], ...values: ComponentChild[]): VNode {
  return jsxTemplate(texts as string[], ...values.map(jsxEscape))
}
