import type { Drawing } from '../drawing.ts'
import type { Collection } from '../engine.ts'

const relations = ['first', 'previous', 'next', 'last'] as const

/** The links to the other pages of a collection. */
export function Pager({ drawing: { words, to }, links }: { drawing: Drawing; links: Collection['links'] }) {
  const given = relations.filter((relation) => links[relation] !== undefined)
  if (given.length === 0) return null
  return (
    <nav class="pager" aria-label={words.pages}>
      <ul>
        {given.map((relation) => (
          <li key={relation}>
            <a href={to(links[relation] as string)} rel={relation}>
              {words[relation]}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}
