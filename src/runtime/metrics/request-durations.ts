import type { Metric, Registry } from 'prom-client'

const name = 'http_request_duration_seconds'
const help = 'Duration of requests, by route, method and status.'

/** The upper bounds of the buckets in seconds. */
const bounds = [0.005, 0.025, 0.1, 0.5, 2.5, 10]

interface Series {
  /** The durations in each bucket; those above all bounds are last. */
  counts: number[]
  sum: number
}

/** Counts the duration of a request. */
type Observe = (route: string, method: string, status: number, seconds: number) => void

type ByStatus = Map<number, Series>

/**
 * Registers the histogram of durations. The one of prom-client checks and hashes the labels of each value, which costs as much as
 * all other measuring.
 */
export function requestDurations(registry: Registry): Observe {
  const byRoute = new Map<string, Map<string, ByStatus>>()
  const values = () =>
    [...byRoute].flatMap(([route, byMethod]) =>
      [...byMethod].flatMap(([method, byStatus]) =>
        [...byStatus].flatMap(([status, series]) => valuesOf({ route, method, status }, series)),
      ),
    )
  const get = async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: values() })
  registry.registerMetric({ name, help, get, reset: () => byRoute.clear() } as unknown as Metric)
  return (route, method, status, seconds) => {
    const byMethod = byRoute.get(route) ?? addTo(byRoute, route, new Map<string, ByStatus>())
    const series = byMethod.get(method)?.get(status) ?? addSeries(byMethod, method, status)
    let bucket = 0
    while (seconds > bounds[bucket]) bucket++
    series.counts[bucket]++
    series.sum += seconds
  }
}

function addTo<K, V>(map: Map<K, V>, key: K, value: V): V {
  map.set(key, value)
  return value
}

function addSeries(byMethod: Map<string, ByStatus>, method: string, status: number): Series {
  const byStatus = byMethod.get(method) ?? new Map<number, Series>()
  const series = { counts: [...bounds, 0].map(() => 0), sum: 0 }
  byMethod.set(method, byStatus.set(status, series))
  return series
}

/** The values of a histogram: each bucket counts those of the smaller ones, too. */
function valuesOf(labels: { route: string; method: string; status: number }, { counts, sum }: Series) {
  let count = 0
  const buckets = counts.map((own, bucket) => {
    count += own
    return { labels: { le: bounds[bucket] ?? '+Inf', ...labels }, value: count, metricName: `${name}_bucket` }
  })
  return [
    ...buckets,
    { labels, value: sum, metricName: `${name}_sum` },
    { labels, value: count, metricName: `${name}_count` },
  ]
}
