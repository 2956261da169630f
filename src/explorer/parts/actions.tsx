import { type Drawing, pathOf } from '../drawing.ts'
import type { OfferedOperation } from '../engine.ts'
import { formName, formParameter } from '../forms/form.ts'
import { Described } from '../words/described.tsx'
import { operationTexts, operationTitle } from '../words/operation-words.ts'
import { drawOnce } from './drawn-once.tsx'
import { markup } from './markup.ts'

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
  const { api, tag, to } = drawing
  const { operation, resource, href } = offered
  const title = operationTitle(drawing, resource, operation)
  if (operation.method === 'GET') return markup`<p class="action"><a class="button" href="${to(href)}">${title}</a></p>`
  const name = formName(offered)
  const form = to(`${pathOf(drawing)}?${formParameter}=${name}`)
  const note = drawOnce(api, `note ${tag} ${resource.name} ${name}`, () => (
    <span class="note" id={`about-${name}`}>
      <Described text={operationTexts(drawing, resource, operation).description} />
    </span>
  ))
  return markup`<p class="action"><a class="button" href="${form}" aria-describedby="about-${name}">${title}</a>${note}</p>`
}
