import cluster, { type Worker } from 'node:cluster'
import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'
import { Problem } from '../../hydra/model/problem.ts'

/** What processes say to each other: a question, for the values of one or the text of all, and its answer. */
interface Message {
  metrics: 'values?' | 'values' | 'text?' | 'text'
  number: number
  values?: object[]
  text?: string
}

/** Milliseconds that a process is waited for; the values of one that dies or hangs meanwhile are left out. */
const patience = { values: 1000, text: 2000 }

let asked = 0

/** Has the first of several processes gather what the others count, and add what it counts itself. */
export function aggregateMetrics(): void {
  const own = new Registry()
  own.setDefaultLabels({ worker: '0' })
  collectDefaultMetrics({ register: own })
  cluster.on('message', async (asking, { metrics, number }: Message) => {
    if (metrics !== 'text?') return
    const workers = Object.values(cluster.workers ?? {}) as Worker[]
    const values = await Promise.all(
      workers.map((worker) => ask(worker, 'values').then((found) => found?.values ?? [])),
    )
    const text = await AggregatorRegistry.aggregate([await own.getMetricsAsJSON(), ...values]).metrics()
    say(asking, { metrics: 'text', number, text })
  })
}

/** How to read a registry: in a worker together with those of all processes, told apart by the label `worker`. */
export function metricsReader(registry: Registry): () => Promise<string> {
  const { worker } = cluster
  if (!worker) return () => registry.metrics()
  registry.setDefaultLabels({ worker: process.env.WORKER })
  worker.on('message', async ({ metrics, number }: Message) => {
    if (metrics === 'values?') say(worker, { metrics: 'values', number, values: await registry.getMetricsAsJSON() })
  })
  return async () => {
    const text = (await ask(worker, 'text'))?.text
    if (text === undefined) throw new Problem(503, 'The other processes do not answer.', { 'Retry-After': '2' })
    return text
  }
}

function ask(other: Worker, what: 'values' | 'text'): Promise<Message | undefined> {
  const number = asked++
  return new Promise((resolve) => {
    const hear = (message: Message): void => {
      if (message.metrics === what && message.number === number) end(message)
    }
    const end = (message?: Message): void => {
      clearTimeout(late)
      other.off('message', hear)
      resolve(message)
    }
    const late = setTimeout(end, patience[what])
    other.on('message', hear)
    say(other, { metrics: `${what}?`, number })
  })
}

function say(other: Worker, message: Message): void {
  if (other.isConnected()) other.send(message)
}
