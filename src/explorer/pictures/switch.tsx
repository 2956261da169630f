import { type Drawing, firstPage, shownFilters, withParameters } from '../drawing.ts'
import { type Picture, picturesOf } from './pictures.ts'
import { pictureWords } from './words.ts'

/** The links between the table and the pictures of a collection. They keep its filters. */
export function PictureSwitch({ drawing, shown }: { drawing: Drawing; shown: Picture | undefined }) {
  const { tag, to, view } = drawing
  const pictures = picturesOf(drawing, view.content)
  if (pictures.length === 0) return null
  const own = pictureWords(tag)
  const links: [name: keyof typeof own.views, href: string][] = [
    ['table', inView(drawing, undefined)],
    ...pictures.map((picture): [Picture['name'], string] => [picture.name, inView(drawing, picture)]),
  ]
  return (
    <nav class="switch" aria-label={own.showAs}>
      <ul>
        {links.map(([name, href]) => (
          <li key={name}>
            <a class="button" href={to(href)} aria-current={name === (shown?.name ?? 'table') ? 'page' : undefined}>
              {own.views[name]}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

/** The address of the same rows in a picture, or in the table. A calendar without a period leads to a week. */
function inView(drawing: Drawing, picture: Picture | undefined): string {
  const others = shownFilters(drawing)
  return withParameters(drawing, { ...firstPage, view: picture ? [picture.name, ...others] : others })
}
