import type { Drawing } from '../drawing.ts'
import type { OfferedOperation } from '../engine.ts'

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

/** One operation: a link where it reads, and else its description and the request that uses it. */
function Action({ drawing, offered }: { drawing: Drawing; offered: OfferedOperation }) {
  const { api, to } = drawing
  const { operation, resource, href } = offered
  const { title, description } = api.textsOf(resource, operation)
  if (operation.method === 'GET')
    return (
      <p>
        <a class="button" href={to(href)}>
          {title}
        </a>
      </p>
    )
  return (
    <details class="action" id={`${operation.name}-${resource.name}`}>
      <summary class="button">{title}</summary>
      <p>{description}</p>
      <pre>
        <code>{curlOf(api.iris.origin, offered)}</code>
      </pre>
    </details>
  )
}

function curlOf(origin: string, { operation: { method, expects }, href }: OfferedOperation): string {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/ld+json'
  const body = expects === 'file' ? ' -F file=@…' : expects ? ` -H "Content-Type: ${type}" -d '{…}'` : ''
  return `curl -X ${method} -H "Authorization: Bearer $TOKEN"${body} '${origin}${href}'`
}
