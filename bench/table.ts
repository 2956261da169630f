import type { Measurement } from './servers.ts'

/** The measurements of a case with a number of connections, one a round for each server. */
export interface Comparison {
  title: string
  connections: number
  goal?: number
  ours: Measurement[]
  bare: Measurement[]
  naive?: Measurement[]
  /** Page 1 of a long collection, where the case is a late page. */
  first?: Measurement[]
}

const heading = [
  'Request',
  'Connections',
  'Requests/s',
  'Ratio to bare (least–most)',
  'Goal',
  'Ratio by CPU time (least–most)',
  'Ratio to naive',
  'CPU µs: server + Postgres',
  'bare',
  'naive',
  'Reads a batch',
  'p50 ms (bare)',
  'p99 ms (bare)',
]

/** A Markdown table of comparisons: medians of all rounds. */
export function tableOf(comparisons: Comparison[]): string {
  return markdown([heading, ...comparisons.map(rowOf)])
}

/** A table in Markdown. */
export function markdown([heading, ...rows]: string[][]): string {
  return [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Sentences that compare the CPU time of a late page with that of page 1. */
export function depthRatios(comparisons: Comparison[]): string[] {
  return comparisons.flatMap(({ title, connections, ours, first }) =>
    first
      ? [
          `${title}, ${connections} connections: its CPU time is ${spread(ratios(ours, first, 'cpu'))} of that of page 1.`,
        ]
      : [],
  )
}

function rowOf({ title, connections, goal, ours, bare, naive }: Comparison): string[] {
  const ratio = ratios(ours, bare, 'rate')
  const micros = (measurements: Measurement[] = []) => {
    const [server, postgres] = [
      measurements.map(({ cpu, postgresCpu }) => cpu - postgresCpu),
      measurements.map(({ postgresCpu }) => postgresCpu),
    ].map((values) => median(values) * 1000)
    return measurements.length > 0 ? `${server.toFixed(0)} + ${postgres.toFixed(0)}` : ''
  }
  const batchSizes = ours.flatMap(({ batchSize }) => (batchSize ? [batchSize] : []))
  const milliseconds = (name: 'p50' | 'p99') => {
    const [own, other] = [ours, bare].map((measurements) => median(measurements.map((one) => one[name])).toFixed(2))
    return `${own} (${other})`
  }
  return [
    title,
    String(connections),
    median(ours.map(({ rate }) => rate)).toFixed(0),
    spread(ratio),
    goal === undefined ? '' : `${goal}: ${median(ratio) >= goal ? 'reached' : 'not reached'}`,
    spread(ratios(bare, ours, 'cpu')),
    naive ? median(ratios(ours, naive, 'rate')).toFixed(1) : '',
    micros(ours),
    micros(bare),
    micros(naive),
    batchSizes.length > 0 ? median(batchSizes).toFixed(1) : '',
    milliseconds('p50'),
    milliseconds('p99'),
  ]
}

/** Ratios of measurements of the same round: a slow moment of the machine concerns both. */
function ratios(ours: Measurement[], others: Measurement[], name: 'rate' | 'cpu'): number[] {
  return ours.map((one, round) => one[name] / others[round][name])
}

export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

/** The median, and the least and most value. */
export function spread(values: number[]): string {
  return `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)})`
}
