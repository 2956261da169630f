import type { VNode } from 'preact'
import type { Drawing } from '../drawing.ts'
import type { Shape } from '../engine.ts'
import { descriptionOf, labelOf } from '../words/labels.ts'
import { drawOnce } from './drawn-once.tsx'
import { markup } from './markup.ts'

interface Term {
  shape: Shape
  name: string
  /** Another target of the label, such as the order by this property. */
  href?: string
  /** A prefix of ids, where a page has the same property twice. */
  id: string
}

/** A property's label. Its description appears while the label has the pointer or the focus; a click leads to the definition. */
export function drawTerm({ api, tag, to }: Drawing, { shape, name, href, id }: Term): VNode {
  const description = descriptionOf(api, tag, shape.name, name)
  const label = labelOf(api, tag, shape.name, name)
  const address = href ?? to(definitionOf(api, shape, name))
  if (!description) return markup`<span class="term"><a href="${address}">${label}</a></span>`
  const tip = `${id}-${name}`
  return markup`<span class="term"><a href="${address}" aria-describedby="${tip}">${label}</a><span class="tip" role="tooltip" id="${tip}">${description}</span></span>`
}

/** The address of a definition in the reference: terms of public vocabularies are explained there below their class. */
function definitionOf({ iris }: Pick<Drawing['api'], 'iris'>, shape: Shape, name: string): string {
  const iri = (shape.field.get(name)?.term ?? shape.links.get(name))?.iri ?? name
  return `${iris.at('/docs/reference')}#${iri.includes(':') ? `${shape.name}/${name}` : iri}`
}

/** The description of a class, which leads to its definition. */
export function About({ drawing, shape }: { drawing: Drawing; shape: Shape }) {
  const { api, tag, to, words, chosen } = drawing
  return drawOnce(api, `about ${tag} ${chosen} ${shape.name}`, () => (
    <p class="about">
      {descriptionOf(api, tag, shape.name)}{' '}
      <a href={to(`${api.iris.at('/docs/reference')}#${shape.name}`)}>{words.definition}</a>
    </p>
  ))
}
