import type { Worker } from 'node:cluster'
import { withTimeout } from '../../start/with-timeout.ts'

/** What the first process and its workers say about the port that they share, while they shut down. */
interface Message {
  port?: 'released' | 'left' | 'closed'
}

/** A port at which several processes accept connections, as one of them sees it. */
export interface SharedPort {
  /** Resolves once the first process no longer holds the port: connections that wait there would be lost with it. */
  parentClosed(): Promise<unknown>
  /** Tells that this process has stopped listening; resolves once all have, as clients that are told to close connect again. */
  closed(): Promise<unknown>
}

/** Milliseconds that one process waits for the others; a worker that is stopped alone hears nothing from them. */
const patience = 500

/** The port, for a worker. */
export function sharedPort(worker: Worker): SharedPort {
  const told = (what: Message['port']) =>
    new Promise<void>((resolve) => worker.on('message', ({ port }: Message) => port === what && resolve()))
  const [released, closed] = [told('released'), told('closed')]
  const soon = async (event: Promise<void>) => worker.isConnected() && withTimeout(patience, event)
  return {
    parentClosed: () => soon(released),
    closed() {
      say(worker, { port: 'left' })
      return soon(closed)
    },
  }
}

/** Has the first process let go of the port, which its workers then empty, and tells them once all of them have stopped listening. */
export function releasePort(workers: Worker[]): void {
  const listening = new Set(workers)
  const left = (worker: Worker) => {
    listening.delete(worker)
    if (listening.size === 0) for (const other of workers) say(other, { port: 'closed' })
  }
  for (const worker of workers) {
    worker.on('message', ({ port }: Message) => port === 'left' && left(worker))
    worker.once('exit', () => left(worker))
  }
  for (const worker of workers) worker.disconnect()
  for (const worker of workers) say(worker, { port: 'released' })
}

/** A message to a process that has just died is lost. */
function say(worker: Worker, message: Message): void {
  if (worker.isConnected()) worker.send(message, () => {})
}
