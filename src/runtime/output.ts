import { type DestinationStream, pino } from 'pino'

/** Characters of log lines that can wait to be written. Further lines are dropped. */
const maxLength = 1_000_000

/** Standard output. A line that cannot be written, because the disk is full or the pipe closed, is retried with the next one. */
export function standardOutput(): DestinationStream {
  const stream = pino.destination({ fd: 1, sync: true, maxLength })
  stream.on('error', () => {})
  return stream
}
