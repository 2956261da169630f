import type { Worker } from 'node:cluster'
import type { Logger } from 'pino'

/** The parent process sends a ping; a worker whose event loop is free answers it with a pong. */
interface Message {
  heartbeat?: 'ping' | 'pong'
}

/**
 * The interval of pings, and how many may stay without an answer. Pings are counted, not time: a machine that was suspended
 * has sent none meanwhile.
 */
const [intervalMs, maxUnanswered] = [1000, 10]

/** Kills a worker that does not answer because it is blocked or stopped. Its exit starts a new one. */
export function watchHeartbeat(worker: Worker, log: Logger): void {
  let unanswered = 0
  worker.on('message', ({ heartbeat }: Message) => {
    if (heartbeat === 'pong') unanswered = 0
  })
  const timer = setInterval(() => {
    if (!worker.isConnected()) return
    if (unanswered === maxUnanswered) {
      const seconds = (maxUnanswered * intervalMs) / 1000
      log.error(
        { worker: worker.process.pid },
        `A worker sent no heartbeat for ${seconds} s. It is killed and replaced.`,
      )
      worker.process.kill('SIGKILL')
    }
    unanswered += 1
    worker.send({ heartbeat: 'ping' } satisfies Message, () => {})
  }, intervalMs).unref()
  worker.once('exit', () => clearInterval(timer))
}

/** Answers the pings of the parent process. */
export function answerHeartbeat(worker: Worker): void {
  worker.on('message', ({ heartbeat }: Message) => {
    if (heartbeat === 'ping' && worker.isConnected()) worker.send({ heartbeat: 'pong' } satisfies Message, () => {})
  })
}
