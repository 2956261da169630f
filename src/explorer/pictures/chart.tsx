import type { ComponentChildren } from 'preact'

/** One value of a chart: its place in time, and its height. */
export interface Point {
  /** Milliseconds since 1970. */
  at: number
  value: number
  /** The period and the value, for the pointer. */
  text: string
}

const width = 1000
const height = 200

interface ChartProps {
  points: Point[]
  /** The text for readers who do not see the chart. */
  label: string
}

/** A line that keeps each value until the next one, over time. */
export function LineChart({ points, label }: ChartProps) {
  const y = scaleOf(points)
  const [first, last] = [points[0].at, points[points.length - 1].at]
  const x = (at: number) => (last === first ? 0 : Math.round(((at - first) / (last - first)) * width))
  const steps = points.slice(1).map(({ at, value }) => `H${x(at)}V${y(value)}`)
  return (
    <Chart label={label} zero={y(0)}>
      <path d={`M0 ${y(points[0].value)}${steps.join('')}H${width}`} />
    </Chart>
  )
}

/** A bar for each value, from zero up or down; the places in time are months. */
export function BarChart({ points, label }: ChartProps) {
  const y = scaleOf(points)
  const first = monthOf(points[0].at)
  const slot = width / (monthOf(points[points.length - 1].at) - first + 1)
  return (
    <Chart label={label} zero={y(0)}>
      {points.map(({ at, value, text }) => (
        <rect
          key={at}
          class={value < 0 ? 'negative' : undefined}
          x={Math.round((monthOf(at) - first + 0.1) * slot)}
          y={Math.min(y(value), y(0))}
          width={Math.max(1, Math.round(slot * 0.8))}
          height={Math.abs(y(value) - y(0))}
        >
          <title>{text}</title>
        </rect>
      ))}
    </Chart>
  )
}

function Chart({ label, zero, children }: { label: string; zero: number; children: ComponentChildren }) {
  return (
    <svg class="chart" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <line x1={0} x2={width} y1={zero} y2={zero} />
      {children}
    </svg>
  )
}

/** Heights in the picture, which always has zero in it. */
function scaleOf(points: Point[]): (value: number) => number {
  const values = [0, ...points.map(({ value }) => value)]
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const range = most - least || 1
  return (value) => Math.round(((most - value) / range) * (height - 4)) + 2
}

function monthOf(at: number): number {
  const date = new Date(at)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}
