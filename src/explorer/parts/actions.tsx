import { type Drawing, pathOf } from '../drawing.ts'
import type { OfferedOperation } from '../engine.ts'
import { formName, formParameter } from '../forms/form.ts'
import { Described } from '../words/described.tsx'
import { operationTexts } from '../words/operation-words.ts'

/** The operations that the caller may use now. */
export function Actions({ drawing }: { drawing: Drawing }) {
  const { words, view } = drawing
  if (view.operations.length === 0) return null
  return (
    <section class="actions" aria-labelledby="actions">
      <h2 id="actions">{words.actions}</h2>
      {view.operations.map((offered) => (
        <Action drawing={drawing} offered={offered} key={`${offered.operation.method} ${offered.href}`} />
      ))}
    </section>
  )
}

/** One operation: a button that leads to the page that it reads, or to its form. */
function Action({ drawing, offered }: { drawing: Drawing; offered: OfferedOperation }) {
  const { to } = drawing
  const { operation, resource, href } = offered
  const { title, description } = operationTexts(drawing, resource, operation)
  const path = pathOf(drawing)
  const id = `about-${formName(offered)}`
  const isRead = operation.method === 'GET'
  return (
    <p class="action">
      <a
        class="button"
        href={to(isRead ? href : `${path}?${formParameter}=${formName(offered)}`)}
        aria-describedby={isRead ? undefined : id}
      >
        {title}
      </a>
      {!isRead && (
        <span class="note" id={id}>
          <Described text={description} />
        </span>
      )}
    </p>
  )
}
