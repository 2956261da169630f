import type { VNode } from 'preact'
import type { Drawing } from '../drawing.ts'
import type { Document, Shape } from '../engine.ts'
import { markup, withDashes } from '../parts/markup.ts'
import { nameOf } from '../titles.ts'
import { labelOf } from '../words/labels.ts'
import { type Cluster, clustersOf, type Event, eventsWithin } from './events.ts'
import { pictureWords } from './words.ts'

/** The most characters of an event's text. */
const mostCharacters = 80

/** The bounds of a day. */
interface Day {
  from: number
  to: number
}

/** The class of the events, and the property of their start. */
interface EventsOf {
  shape: Shape
  start: string
}

/** One day of a lane: a strip that shows when there is something, and the events. Functions draw it, because components take longer. */
export function drawDay(drawing: Drawing, kind: EventsOf, events: Event[], day: Day) {
  const clusters = joined(clustersOf(eventsWithin(events, day.from, day.to)))
  if (clusters.length === 0) return null
  const lists = clusters.map((columns) => {
    const drawn = columns.map(
      (column) => markup`<ul>${column.map((event) => drawEvent(drawing, kind, event, day))}</ul>`,
    )
    return markup`<div class="beside">${drawn}</div>`
  })
  return markup`${drawStrip(clusters, day)}${lists}`
}

function drawEvent(drawing: Drawing, { shape, start }: EventsOf, event: Event, day: Day): VNode {
  const { document } = event
  const href = drawing.to(document['@id'] as string)
  const [times, text] = [withDashes(timesOf(drawing, event, day)), textOf(drawing, shape, document)]
  return markup`<li><a class="event" href="${href}"><time datetime="${document[start] as string}">${times}</time> ${text}</a></li>`
}

/** Events that overlap no other stand in one list. */
function joined(clusters: Cluster[]): Cluster[] {
  const found: Cluster[] = []
  for (const columns of clusters) {
    const last = found.at(-1)
    if (last?.length === 1 && columns.length === 1) last[0].push(...columns[0])
    else found.push(columns)
  }
  return found
}

/** The day from its first to its last minute; events that overlap stand below each other. One path draws all of them. */
function drawStrip(clusters: Cluster[], { from, to }: Day) {
  const minutes = (instant: number) => Math.round((Math.min(Math.max(instant, from), to) - from) / 60_000)
  const boxAt =
    (y: number) =>
    ({ start, end }: Event) => {
      const width = Math.max(minutes(end) - minutes(start), 5)
      return `M${minutes(start)} ${y}h${width}v1h-${width}z`
    }
  const height = Math.max(...clusters.map((columns) => columns.length))
  const boxes = clusters.flatMap((columns) => columns.flatMap((column, y) => column.map(boxAt(y)))).join('')
  const size = `0 0 ${minutes(to)} ${height}`
  return markup`<svg class="strip" viewBox="${size}" preserveAspectRatio="none" aria-hidden="true"><path d="${boxes}"/></svg>`
}

/** The times of an event within a day. One that began earlier or ends later says so. */
function timesOf({ formats, tag }: Drawing, { start, end }: Event, { from, to }: Day): string {
  const own = pictureWords(tag)
  const [begins, ends] = [start >= from, end <= to]
  if (begins && ends) return `${formats.time(start)}–${formats.time(end)}`
  if (begins) return own.from(formats.time(start))
  return ends ? own.until(formats.time(end)) : own.allDay
}

/** The name of an event, else the start of its description, else its class. */
function textOf({ api, tag }: Drawing, shape: Shape, document: Document): string {
  for (const iri of ['schema:name', 'schema:description']) {
    const value = document[nameOf(shape, iri)]
    if (typeof value !== 'string' || value.trim() === '') continue
    if (value.length <= mostCharacters) return value.trim()
    const text = [...value.slice(0, 2 * mostCharacters).trim()]
    return text.length > mostCharacters ? `${text.slice(0, mostCharacters).join('')}…` : text.join('')
  }
  return labelOf(api, tag, shape.name)
}
