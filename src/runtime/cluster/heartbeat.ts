import type { Worker } from 'node:cluster'
import type { Logger } from 'pino'

/** A question of the first process, and the answer of a worker whose event loop turns. */
interface Message {
  pulse?: 'question' | 'answer'
}

/**
 * Milliseconds between two questions, and how many may stay without an answer. They are counted in questions, not in time: a
 * machine that was suspended has asked none meanwhile.
 */
const [interval, most] = [1000, 10]

/** Kills a worker that does not answer, because it is blocked or stopped; its end has it replaced. */
export function watchHeartbeat(worker: Worker, log: Logger): void {
  let unanswered = 0
  worker.on('message', ({ pulse }: Message) => {
    if (pulse === 'answer') unanswered = 0
  })
  const timer = setInterval(() => {
    if (!worker.isConnected()) return
    if (unanswered === most) {
      const seconds = (most * interval) / 1000
      log.error(
        { worker: worker.process.pid },
        `A worker has not answered for ${seconds} s: it is killed and replaced.`,
      )
      worker.process.kill('SIGKILL')
    }
    unanswered += 1
    worker.send({ pulse: 'question' } satisfies Message, () => {})
  }, interval).unref()
  worker.once('exit', () => clearInterval(timer))
}

/** Has a worker answer the first process. */
export function sendHeartbeat(worker: Worker): void {
  worker.on('message', ({ pulse }: Message) => {
    if (pulse === 'question' && worker.isConnected()) worker.send({ pulse: 'answer' } satisfies Message, () => {})
  })
}
