import type { Pool } from 'pg'
import { Gauge, Histogram, type Registry } from 'prom-client'
import type { Api, FairPool } from '../../hydra/index.ts'

type ReadBatches = NonNullable<FairPool['batches']>

/** Measures the connections of each pool, the requests that wait for one, and the sizes of batches. */
export function measurePools(registry: Registry, { items, lists }: Api['pools']): void {
  const pools = { items: items.pool, lists: lists.pool, ...(items.batches && { batches: items.batches.pool }) }
  const each = (name: string, help: string, read: (pool: Pool) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['pool'],
      registers: [registry],
      collect() {
        for (const [name, pool] of Object.entries(pools)) this.set({ pool: name }, read(pool))
      },
    })
  each(
    'database_connections_busy',
    'Connections that run a statement or a transaction.',
    (pool) => pool.totalCount - pool.idleCount,
  )
  each('database_connections_idle', 'Open connections that nothing uses.', ({ idleCount }) => idleCount)
  each('database_connections_max', 'The most connections of the pool.', ({ options }) => options.max)
  new Gauge({
    name: 'database_requests_waiting',
    help: 'Requests that wait for a connection.',
    labelNames: ['pool'],
    registers: [registry],
    collect() {
      this.set({ pool: 'items' }, items.waiting)
      this.set({ pool: 'lists' }, lists.waiting)
    },
  })
  if (items.batches) measureBatches(registry, items.batches)
}

/** Measures how many reads travel together: 1 means that reads do not wait for each other. */
function measureBatches(registry: Registry, reads: ReadBatches): void {
  const sizes = new Histogram({
    name: 'database_batch_keys',
    help: 'Keys in each batch of reads that was sent to the database.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    registers: [registry],
  })
  reads.onBatch = (keys) => sizes.observe(keys)
}

/** Counts open streams. A long lag shows a slow database, or a lost connection that listens. */
export function measureStreams(registry: Registry, streams: ReturnType<Api['changeStreams']>): void {
  new Gauge({
    name: 'change_streams_open',
    help: 'Open streams of changes.',
    registers: [registry],
    collect() {
      this.set(streams.open)
    },
  })
  const lags = new Histogram({
    name: 'change_stream_lag_seconds',
    help: 'Time from the first write of changes until streams have read them.',
    buckets: [0.05, 0.1, 0.5, 1, 5, 30],
    registers: [registry],
  })
  streams.onLag = (seconds) => lags.observe(seconds)
}
