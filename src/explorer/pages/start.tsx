import type { Drawing } from '../drawing.ts'
import { Data } from '../parts/data.tsx'
import { collectionLabel, descriptionOf } from '../words/labels.ts'
import { roleName } from '../words/operation-words.ts'

/** The first page: every collection, and which of them the caller may open. */
export function StartPage({ drawing }: { drawing: Drawing }) {
  const { api, tag, words, view, to } = drawing
  const all = api.listed().map(([, resource]) => {
    const list = resource.operations.find(({ method, path }) => method === 'GET' && path === '')
    return { resource, list, isOpen: list !== undefined && api.permissions.allows(list, view.caller) }
  })
  const [open, closed] = [all.filter(({ isOpen }) => isOpen), all.filter(({ isOpen }) => !isOpen)]
  return (
    <>
      <p>{api.info.description}</p>
      {open.length > 0 && <h2>{words.open}</h2>}
      <dl class="index">
        {open.map(({ resource }) => (
          <div key={resource.path}>
            <dt>
              <a href={to(api.iris.at(resource.path))}>{collectionLabel(api, tag, resource)}</a>
            </dt>
            <dd>{descriptionOf(api, tag, resource.name)}</dd>
          </div>
        ))}
      </dl>
      {closed.length > 0 && <h2>{words.closed}</h2>}
      <dl class="index">
        {closed.map(({ resource, list }) => (
          <div key={resource.path}>
            <dt>{collectionLabel(api, tag, resource)}</dt>
            <dd>
              {list &&
                words.closedHint(
                  api.permissions
                    .rolesOf(list)
                    .map((role) => roleName(tag, role))
                    .join(', '),
                )}
            </dd>
          </div>
        ))}
      </dl>
      <Data drawing={drawing} />
    </>
  )
}
