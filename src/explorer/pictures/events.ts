import type { Document } from '../engine.ts'
import type { Calendar } from './pictures.ts'

/** One row of a calendar, with the instants of its start and its end. */
export interface Event {
  document: Document
  start: number
  end: number
}

/** Events that overlap each other, in columns that stand beside each other. No two events of a column overlap. */
export type Cluster = Event[][]

/** The rows of a page as events, in the order of their start. A row without a start or an end is none. */
export function eventsOf({ start, end }: Calendar, items: Document[]): Event[] {
  return items
    .map((document) => ({
      document,
      start: Date.parse(String(document[start.name])),
      end: Date.parse(String(document[end.name])),
    }))
    .filter((event) => event.end >= event.start)
    .sort((one, other) => one.start - other.start || one.end - other.end)
}

/** The events that take place between two instants. */
export function eventsWithin(events: Event[], from: number, to: number): Event[] {
  return events.filter(({ start, end }) => start < to && end > from)
}

/** Puts events in the order of their start into clusters, and each into the first column that is free. */
export function clustersOf(events: Event[]): Cluster[] {
  const clusters: Cluster[] = []
  let latest = Number.NEGATIVE_INFINITY
  for (const event of events) {
    if (event.start >= latest) clusters.push([])
    const columns = clusters.at(-1) as Cluster
    const free = columns.find((column) => (column.at(-1) as Event).end <= event.start)
    if (free) free.push(event)
    else columns.push([event])
    latest = Math.max(latest, event.end)
  }
  return clusters
}
