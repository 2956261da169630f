import type { Drawing } from '../drawing.ts'
import type { Shape } from '../engine.ts'
import { descriptionOf, labelOf } from '../words/labels.ts'

/** A property's label. Its description appears while the label has the pointer or the focus; a click leads to the definition. */
export function Term({
  drawing: { api, tag, to },
  shape,
  name,
  href,
  id,
}: {
  drawing: Drawing
  shape: Shape
  name: string
  /** Another target of the label, such as the order by this property. */
  href?: string
  /** A prefix of ids, where a page has the same property twice. */
  id: string
}) {
  const description = descriptionOf(api, tag, shape.name, name)
  const tip = `${id}-${name}`
  return (
    <span class="term">
      <a href={href ?? to(definitionOf(api, shape, name))} aria-describedby={description ? tip : undefined}>
        {labelOf(api, tag, shape.name, name)}
      </a>
      {description && (
        <span class="tip" role="tooltip" id={tip}>
          {description}
        </span>
      )}
    </span>
  )
}

/** The address of a definition in the reference: terms of public vocabularies are explained there below their class. */
function definitionOf({ iris }: Pick<Drawing['api'], 'iris'>, shape: Shape, name: string): string {
  const iri = (shape.field.get(name)?.term ?? shape.links.get(name))?.iri ?? name
  return `${iris.at('/docs/reference')}#${iri.includes(':') ? `${shape.name}/${name}` : iri}`
}

/** The description of a class, which leads to its definition. */
export function About({ drawing: { api, tag, to, words }, shape }: { drawing: Drawing; shape: Shape }) {
  return (
    <p class="about">
      {descriptionOf(api, tag, shape.name)}{' '}
      <a href={to(`${api.iris.at('/docs/reference')}#${shape.name}`)}>{words.definition}</a>
    </p>
  )
}
