import { type DestinationStream, pino } from 'pino'

/** Characters of lines that wait for room; further ones are dropped. */
const most = 1_000_000

/** Standard output. What cannot be written, to a full disk or a closed pipe, is tried again with the next line. */
export function standardOutput(): DestinationStream {
  const stream = pino.destination({ fd: 1, sync: true, maxLength: most })
  stream.on('error', () => {})
  return stream
}
