import type { Drawing } from '../drawing.ts'
import type { Shape } from '../engine.ts'
import { writeAmount } from '../parts/money.ts'
import { Scroll } from '../parts/scroll.tsx'
import { labelOf } from '../words/labels.ts'
import { BarChart, LineChart, type Point } from './chart.tsx'
import type { Sums } from './pictures.ts'
import { byCurrency, type CurrencySums, drawnSums, earlierThan, type Sum, tableOf } from './sum-periods.ts'
import { pictureWords } from './words.ts'

interface SumsProps {
  drawing: Drawing
  shape: Shape
  picture: Sums
}

/** The sums of a collection by days, as a line of totals, or by months, as bars; each currency on its own. */
export function SumsPicture({ drawing, shape, picture, sums }: SumsProps & { sums: Sum[] }) {
  const { tag, words, formats, to } = drawing
  const own = pictureWords(tag)
  const { drawn, isCut } = drawnSums(sums)
  const oldest = drawn.at(-1)?.period
  return (
    <>
      {isCut && oldest && (
        <p class="left-out" role="note">
          {own.cut} <a href={to(earlierThan(drawing, picture, oldest))}>{own.earlier}</a>
        </p>
      )}
      {byCurrency(drawn).map((found) => (
        <OneCurrency drawing={drawing} shape={shape} picture={picture} found={found} key={found.currency ?? ''} />
      ))}
      {picture.date.datatype === 'xsd:dateTime' && <p class="note">{words.timeZone(formats.zone)}</p>}
    </>
  )
}

function OneCurrency({ drawing, shape, picture, found }: SumsProps & { found: CurrencySums }) {
  const { api, tag, formats } = drawing
  const own = pictureWords(tag)
  const { currency, periods } = found
  const { unit, by, amount, date } = picture
  const id = `sums-${currency ?? 'none'}`
  const [amountLabel, dateLabel] = [amount, date].map(({ name }) => labelOf(api, tag, shape.name, name))
  const caption = (by === 'day' ? own.totalsOf : own.sumsOf)(amountLabel, dateLabel)
  const write = (value: string) => writeAmount(drawing, unit, value, currency)
  const writePeriod = by === 'day' ? formats.date : formats.month
  const points = periods.toReversed().map(({ period, sum, total }): Point & { written: string } => {
    const value = by === 'day' ? total : sum
    const written = write(value)
    const text = `${writePeriod(period)}: ${written}`
    return { at: Date.parse(`${period}T00:00:00Z`), value: Number(value), text, written }
  })
  const ordered = points.toSorted((one, other) => one.value - other.value)
  const extremes = points.length > 0 ? own.extremes(ordered[0].written, ordered[ordered.length - 1].written) : ''
  const Chart = by === 'day' ? LineChart : BarChart
  return (
    <section class="picture" aria-labelledby={id}>
      <h2 id={id}>{currency ?? own.noCurrency}</h2>
      {points.length > 0 && (
        <figure>
          <figcaption>{`${caption}. ${extremes}`}</figcaption>
          <Chart points={points} label={`${caption}, ${currency ?? own.noCurrency}. ${extremes}`} />
          <p class="ends" aria-hidden="true">
            <span>{writePeriod(periods[periods.length - 1].period)}</span>
            <span>{writePeriod(periods[0].period)}</span>
          </p>
        </figure>
      )}
      <SumTable drawing={drawing} picture={picture} found={found} caption={caption} write={write} date={dateLabel} />
    </section>
  )
}

/** The same numbers as a table, in which each period leads to its rows. */
function SumTable({
  drawing,
  picture,
  found: { periods, undated, currency },
  caption,
  write,
  date,
}: Omit<SumsProps, 'shape'> & {
  found: CurrencySums
  caption: string
  date: string
  write(amount: string): string
}) {
  const { tag, formats, to } = drawing
  const own = pictureWords(tag)
  const writePeriod = picture.by === 'day' ? formats.date : formats.month
  return (
    <Scroll label={`${caption}, ${currency ?? own.noCurrency}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">{picture.by === 'day' ? own.day : own.month}</th>
            {[own.rows, own.sum, own.total].map((text) => (
              <th scope="col" class="number" key={text}>
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {periods.map(({ period, rows, sum, total }) => (
            <tr key={period}>
              <th scope="row">
                <a href={to(tableOf(drawing, picture, period, currency))}>{writePeriod(period)}</a>
              </th>
              <td class="number">{formats.number(rows)}</td>
              <td class="number">{write(sum)}</td>
              <td class="number">{write(total)}</td>
            </tr>
          ))}
          {undated && (
            <tr>
              <th scope="row">{own.noDate(date)}</th>
              <td class="number">{formats.number(undated.rows)}</td>
              <td class="number">{write(undated.sum)}</td>
              <td class="number">{write(undated.total)}</td>
            </tr>
          )}
        </tbody>
      </table>
    </Scroll>
  )
}
