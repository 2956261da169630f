import cluster, { type Worker } from 'node:cluster'
import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'
import { Problem } from '../../hydra/index.ts'

/** A request between processes and its response: for the values of one process, or for the text of all. */
interface Message {
  metrics: 'values?' | 'values' | 'text?' | 'text'
  id: number
  values?: object[]
  text?: string
}

/** Time limits of both requests. The values of a process that dies or hangs meanwhile are left out. */
const timeoutMs = { values: 1000, text: 2000 }

let lastId = 0

/** Answers requests of workers for the metrics of all processes, those of the parent process included. */
export function aggregateMetrics(): void {
  const own = new Registry()
  own.setDefaultLabels({ worker: '0' })
  collectDefaultMetrics({ register: own })
  cluster.on('message', async (requester, { metrics, id }: Message) => {
    if (metrics !== 'text?') return
    const workers = Object.values(cluster.workers ?? {}) as Worker[]
    const values = await Promise.all(
      workers.map((worker) => request(worker, 'values').then((response) => response?.values ?? [])),
    )
    const text = await AggregatorRegistry.aggregate([await own.getMetricsAsJSON(), ...values]).metrics()
    send(requester, { metrics: 'text', id, text })
  })
}

/**
 * Returns a function that reads a registry. In a worker it reads the registries of all processes, which the label `worker`
 * tells apart.
 */
export function metricsReader(registry: Registry): () => Promise<string> {
  const { worker } = cluster
  if (!worker) return () => registry.metrics()
  registry.setDefaultLabels({ worker: process.env.WORKER })
  worker.on('message', async ({ metrics, id }: Message) => {
    if (metrics === 'values?') send(worker, { metrics: 'values', id, values: await registry.getMetricsAsJSON() })
  })
  return async () => {
    const text = (await request(worker, 'text'))?.text
    if (text === undefined)
      throw new Problem(503, 'The other processes do not answer. Retry in 2 seconds.', { 'Retry-After': '2' })
    return text
  }
}

/** Sends a request to another process. @returns undefined after the time limit */
function request(other: Worker, kind: 'values' | 'text'): Promise<Message | undefined> {
  const id = lastId++
  return new Promise((resolve) => {
    const onMessage = (message: Message): void => {
      if (message.metrics === kind && message.id === id) finish(message)
    }
    const finish = (message?: Message): void => {
      clearTimeout(timer)
      other.off('message', onMessage)
      resolve(message)
    }
    const timer = setTimeout(finish, timeoutMs[kind])
    other.on('message', onMessage)
    send(other, { metrics: `${kind}?`, id })
  })
}

function send(other: Worker, message: Message): void {
  if (other.isConnected()) other.send(message)
}
