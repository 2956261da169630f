import type { Worker } from 'node:cluster'
import { withTimeout } from '../../start/with-timeout.ts'

/** A message between the parent process and its workers about their shared port during a shutdown. */
interface Message {
  port?: 'parent-closed' | 'worker-closed' | 'all-closed'
}

/** A port at which several processes accept connections, as one worker sees it. */
export interface SharedPort {
  /** Resolves once the parent has closed the port: connections in its queue would be lost with it. */
  parentClosed(): Promise<unknown>
  /** Reports that this worker has stopped listening. Resolves once all have, because clients that are told to close reconnect. */
  closed(): Promise<unknown>
}

/** The limit for a message of the parent, which sends none to a worker that is stopped alone. */
const messageTimeoutMs = 500

/** The shared port of a worker. */
export function sharedPort(worker: Worker): SharedPort {
  const received = (state: Message['port']) =>
    new Promise<void>((resolve) => worker.on('message', ({ port }: Message) => port === state && resolve()))
  const [parentClosed, allClosed] = [received('parent-closed'), received('all-closed')]
  const inTime = async (message: Promise<void>) => worker.isConnected() && withTimeout(messageTimeoutMs, message)
  return {
    parentClosed: () => inTime(parentClosed),
    closed() {
      send(worker, { port: 'worker-closed' })
      return inTime(allClosed)
    },
  }
}

/** Closes the port in the parent process. The workers then empty its queue, and hear when all of them have stopped listening. */
export function closeSharedPort(workers: Worker[]): void {
  const listening = new Set(workers)
  const stopsListening = (worker: Worker) => {
    listening.delete(worker)
    if (listening.size === 0) for (const other of workers) send(other, { port: 'all-closed' })
  }
  for (const worker of workers) {
    worker.on('message', ({ port }: Message) => port === 'worker-closed' && stopsListening(worker))
    worker.once('exit', () => stopsListening(worker))
  }
  for (const worker of workers) worker.disconnect()
  for (const worker of workers) send(worker, { port: 'parent-closed' })
}

/** A message to a worker that has just died is lost without an error. */
function send(worker: Worker, message: Message): void {
  if (worker.isConnected()) worker.send(message, () => {})
}
