import { Problem } from '../../hydra/index.ts'
import { type Drawing, firstPage, shownFilters, withParameters } from '../drawing.ts'
import type { Collection, PageContent } from '../engine.ts'
import { markup, withDashes } from '../parts/markup.ts'
import { Scroll } from '../parts/scroll.tsx'
import { drawReference } from '../parts/value.tsx'
import { referenceTitle } from '../titles.ts'
import { collectionLabel, labelOf } from '../words/labels.ts'
import { drawDay } from './calendar-day.ts'
import {
  addressesOf,
  adjacentPeriod,
  dayOf,
  daysOfWeek,
  nearestWeek,
  type Period,
  periodAt,
  periodIn,
  presentMinute,
  weekAt,
} from './calendar-period.ts'
import { type Event, eventsOf } from './events.ts'
import type { Calendar } from './pictures.ts'
import { pictureWords } from './words.ts'

interface CalendarProps {
  drawing: Drawing
  content: PageContent
  collection: Collection
  calendar: Calendar
}

/** @throws Problem 302 to the calendar of a week, where the address asks for no period of whole days */
export function requirePeriod(drawing: Omit<Drawing, 'titles'>, calendar: Calendar): void {
  if (periodIn(drawing, calendar)) return
  const Location = drawing.to(addressesOf(drawing, calendar)(nearestWeek(drawing, calendar)))
  throw new Problem(302, 'A calendar has the bounds of its period in its address.', { Location })
}

/** The members of a collection in the days of a period, with a lane for each item that they refer to. */
export function CalendarPicture({ drawing, content, collection, calendar }: CalendarProps) {
  const { formats, words, tag } = drawing
  const period = periodIn(drawing, calendar) as Period
  const events = eventsOf(calendar, content.items)
  return (
    <section class="picture" aria-labelledby="period">
      <h2 id="period">{withDashes(formats.period(period.days[0], period.days.at(-1) as string))}</h2>
      <Periods drawing={drawing} calendar={calendar} period={period} />
      <LeftOut drawing={drawing} collection={collection} drawn={content.items.length} />
      {events.length > 0 ? (
        <Days drawing={drawing} content={content} calendar={calendar} period={period} events={events} />
      ) : (
        <p class="empty">{pictureWords(tag).nothingHere}</p>
      )}
      <p class="note">{words.timeZone(formats.zone)}</p>
    </section>
  )
}

/** The links to other periods. */
function Periods({ drawing, calendar, period }: Pick<CalendarProps, 'drawing' | 'calendar'> & { period: Period }) {
  const { words, to, formats, tag } = drawing
  const { clock } = formats
  const own = pictureWords(tag)
  const links: [text: string, period: Period, rel?: string][] = [
    [words.previous, adjacentPeriod(clock, period, -1), 'prev'],
    [own.today, periodAt(clock, presentMinute(), period)],
    [words.next, adjacentPeriod(clock, period, 1), 'next'],
  ]
  const addressOf = addressesOf(drawing, calendar)
  if (period.days.length < daysOfWeek) links.push([own.wholeWeek, weekAt(clock, period.bounds[0])])
  return (
    <nav class="pager" aria-label={own.period}>
      <ul>
        {links.map(([text, other, rel]) => (
          <li key={text}>
            <a href={to(addressOf(other))} rel={rel}>
              {text}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

/** Says that rows are left out, and leads to all of them. */
function LeftOut({ drawing, collection, drawn }: { drawing: Drawing; collection: Collection; drawn: number }) {
  const { tag, to } = drawing
  const { total, limited } = collection
  if (total <= drawn && !limited) return null
  const own = pictureWords(tag)
  const table = withParameters(drawing, { ...firstPage, view: shownFilters(drawing) })
  return (
    <p class="left-out" role="note">
      {own.drawn(drawn, total, limited)} <a href={to(table)}>{own.asTable}</a>
    </p>
  )
}

/** A table with a row for each lane and a column for each day. */
function Days({
  drawing,
  content: { resource, shape },
  calendar,
  period,
  events,
}: Omit<CalendarProps, 'collection'> & { period: Period; events: Event[] }) {
  const { api, tag, formats, to, words } = drawing
  const { lane } = calendar
  const addressOf = addressesOf(drawing, calendar)
  const kind = { shape, start: calendar.start.name }
  const today = periodAt(formats.clock, presentMinute(), dayOf(period, 0)).days[0]
  return (
    <Scroll label={collectionLabel(api, tag, resource)}>
      <table class="calendar">
        <thead>
          <tr>
            {lane && <th scope="col">{labelOf(api, tag, shape.name, lane.name)}</th>}
            {period.days.map((day, index) => (
              <th scope="col" key={day} aria-current={day === today ? 'date' : undefined}>
                <a href={to(addressOf(dayOf(period, index)))}>{formats.weekday(day)}</a>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lanesOf(drawing, calendar, events).map(([iri, own]) => {
            const days = period.days.map((_, index) =>
              drawDay(drawing, kind, own, { from: period.bounds[index], to: period.bounds[index + 1] }),
            )
            const cells = markup(cellTexts(days.length), ...days)
            if (!lane) return markup`<tr>${cells}</tr>`
            return markup`<tr><th scope="row">${iri === '' ? words.none : drawReference(drawing, iri)}</th>${cells}</tr>`
          })}
        </tbody>
      </table>
    </Scroll>
  )
}

/** The markup around the cells of a row. */
const cellTexts = (count: number) => ['<td>', ...Array<string>(count - 1).fill('</td><td>'), '</td>']

/** The events of each lane, in the order of their titles; those without a reference come last. */
function lanesOf(drawing: Drawing, { lane }: Calendar, events: Event[]): [iri: string, events: Event[]][] {
  const lanes = new Map<string, Event[]>()
  for (const event of events) {
    const iri = String((lane && event.document[lane.name]) ?? '')
    const own = lanes.get(iri)
    if (own) own.push(event)
    else lanes.set(iri, [event])
  }
  const title = (iri: string) => (iri === '' ? '' : referenceTitle(drawing, iri))
  return [...lanes].sort(([one], [other]) =>
    one === '' || other === ''
      ? Number(one === '') - Number(other === '')
      : drawing.formats.compare(title(one), title(other)),
  )
}
