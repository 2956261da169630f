import type { Drawing } from '../drawing.ts'
import { asksFor, firstPage, withPart } from '../drawing.ts'
import { isSearchText } from './filter-state.ts'
import { LinkedJson } from './json.tsx'
import { markup } from './markup.ts'
import { CopyText } from './script-elements.tsx'

/** The most rows of one CSV document. */
const mostRows = 100

/** The parameters that cut the rows of a collection into pages. */
const allRows = { ...firstPage, itemsPerPage: [] }

const names: Record<string, string> = { jsonld: 'JSON-LD', json: 'JSON', ttl: 'Turtle', nq: 'N-Quads', csv: 'CSV' }

/** The same document for programs: its other formats, the request that gets it, and the document itself. */
export function Data({ drawing }: { drawing: Drawing }) {
  const { words, view } = drawing
  return (
    <section class="data" aria-labelledby="data">
      <h2 id="data">{words.data}</h2>
      <ul class="formats">
        {view.formats.map(
          ({ suffix = '', type }) =>
            markup`<li><a href="${addressIn(drawing, suffix)}" type="${type}">${names[suffix] ?? suffix}</a></li>`,
        )}
      </ul>
      <p>{words.dataHint}</p>
      <CopyText drawing={drawing}>
        <pre>
          <code>{curlOf(drawing)}</code>
        </pre>
      </CopyText>
      <Source drawing={drawing} />
    </section>
  )
}

/** The document, in which every IRI is a link. It is drawn on request, because few readers open it. */
function Source({ drawing }: { drawing: Drawing }) {
  const { words, view, to } = drawing
  if (!asksFor(drawing, 'source'))
    return (
      <p>
        <a href={to(withPart(drawing, 'source', true))}>{words.source}</a>
      </p>
    )
  return (
    <details open>
      <summary>{words.source}</summary>
      <LinkedJson drawing={drawing} document={view.document} />
    </details>
  )
}

/** The address of the page in another format. A table has all rows that are filtered, up to the most of one document. */
function addressIn({ view: { request, content }, api }: Drawing, suffix: string): string {
  const isTable = suffix === 'csv'
  const isLeftOut = (name: string) =>
    name === 'lang' || name === 'view' || isSearchText(api, name) || (isTable && name in allRows)
  const kept = [...request.query].filter(([name]) => !isLeftOut(name))
  if (isTable) kept.push(['itemsPerPage', String(content?.resource.options.most ?? mostRows)])
  const path = request.path === '/' ? '/index' : request.path
  return `${api.iris.at(path)}.${suffix}${kept.length > 0 ? `?${new URLSearchParams(kept)}` : ''}`
}

function curlOf(drawing: Drawing): string {
  const { api, view } = drawing
  const address = addressIn(drawing, 'jsonld').replaceAll("'", '%27')
  const isPublic = view.content?.resource.options.public || !view.content
  return `curl ${isPublic ? '' : '-H "Authorization: Bearer $TOKEN" '}'${api.iris.origin}${address}'`
}
