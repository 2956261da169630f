import { fstatSync, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { type DestinationStream, symbols } from 'pino'

/** Lines wait this long to be written together, and the same time again when they cannot be written. */
const flushMs = 20

/** Bytes of one write: POSIX keeps up to 4096 together, so lines of several processes never mix in a pipe. */
const batchBytes = 4096

/** Bytes of lines that can wait to be written. Further lines are dropped. */
const maxBytes = 1_000_000

/** At its end a process waits this long for a reader that is behind. */
const exitTimeoutMs = 400

/** Lines of this level and above are written at once: they may be the last before a crash. */
const urgentLevel = 40

/**
 * Standard output, in batches of whole lines. Lines that cannot be written wait for the next try: the reader is behind, the disk
 * is full, or the pipe is closed. Neither blocks the event loop.
 */
class StandardOutput implements DestinationStream {
  /** Asks pino for the level of each line, in `lastLevel`. */
  readonly [symbols.needsMetadataGsym] = true
  lastLevel = 0
  private batch = ''
  private batchLength = 0
  /** Batches whose write has failed, or not been tried. */
  private readonly waiting: (string | Buffer)[] = []
  private waitingLength = 0
  private dropped = 0
  private stalled = false
  private timer: NodeJS.Timeout | undefined
  private readonly immediate = isatty(1)

  constructor() {
    // Node makes a pipe or a socket non-blocking for its own stream, and undoes that at exit.
    if (!this.immediate && !fstatSync(1).isFile()) void process.stdout
    process.once('exit', () => this.flushSync())
  }

  write(line: string): void {
    const length = Buffer.byteLength(line)
    if (this.waitingLength + this.batchLength + length > maxBytes) {
      this.dropped += 1
      return
    }
    if (this.batchLength + length > batchBytes) this.endBatch()
    this.batch += line
    this.batchLength += length
    if (this.stalled) return
    if (this.immediate || this.lastLevel >= urgentLevel || this.waiting.length > 0) this.flush()
    else this.timer ??= setTimeout(() => this.flush(), flushMs).unref()
  }

  /** Writes all lines, and gives a slow reader some time. */
  flushSync(): void {
    for (const end = performance.now() + exitTimeoutMs; ; ) {
      this.flush()
      if (!this.stalled || performance.now() > end) return
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, flushMs)
    }
  }

  private endBatch(): void {
    if (this.batchLength === 0) return
    this.waiting.push(this.batch)
    this.waitingLength += this.batchLength
    this.batch = ''
    this.batchLength = 0
  }

  private flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.endBatch()
    this.stalled = !this.writeWaiting()
    if (this.stalled) this.timer = setTimeout(() => this.flush(), flushMs).unref()
    else if (this.dropped > 0) this.reportDropped()
  }

  /** @returns false when lines are left */
  private writeWaiting(): boolean {
    try {
      while (this.waiting.length > 0) {
        const [batch] = this.waiting
        const written = typeof batch === 'string' ? writeSync(1, batch) : writeSync(1, batch)
        this.waitingLength -= written
        if (written === Buffer.byteLength(batch)) this.waiting.shift()
        else this.waiting[0] = Buffer.from(batch).subarray(written)
      }
      return true
    } catch {
      return false
    }
  }

  private reportDropped(): void {
    const msg = 'dropped log lines, because standard output could not be written'
    const line = JSON.stringify({ level: 40, time: Date.now(), pid: process.pid, lines: this.dropped, msg })
    this.dropped = 0
    this.write(`${line}\n`)
  }
}

export function standardOutput(): DestinationStream {
  return new StandardOutput()
}
