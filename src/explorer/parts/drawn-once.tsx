import type { VNode } from 'preact'
import { jsxTemplate } from 'preact/jsx-runtime'
import { render } from 'preact-render-to-string'
import type { Api } from '../../hydra/index.ts'

/** The most texts that are kept of one API. Most keys have few values, but readers choose the columns of tables. */
const mostTexts = 2000

const texts = new WeakMap<Api, Map<string, string>>()

/** Draws a part of a page once for each key, which names everything that the part depends on. Preact has escaped the kept text. */
export function drawOnce(api: Api, key: string, draw: () => VNode): VNode {
  const known = texts.get(api) ?? new Map<string, string>()
  texts.set(api, known)
  let text = known.get(key)
  if (text === undefined) {
    if (known.size >= mostTexts) known.clear()
    text = render(draw())
    known.set(key, text)
  }
  return jsxTemplate([text])
}
