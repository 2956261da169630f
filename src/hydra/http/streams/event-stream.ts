import type { Response } from 'express'
import type { Caller } from '../../model/caller.ts'
import { type Position, positionId } from '../../store/change-log.ts'
import type { Batch } from './change-feed.ts'
import type { Topics } from './topics.ts'
import type { Update } from './visible-changes.ts'

/** Intervals in milliseconds: proxies end connections that are silent, and rights may end at any time. */
const intervals = { alive: 20_000, authorize: 30_000 }

/** Bytes that may wait for a slow reader. */
const maxWaitingBytes = 64 * 1024

/** Time after which the connection of a reader that takes nothing is cut. */
const cutAfterMs = 1000

/** The pause before a reader connects again, with so much chance in it that readers do not all come at once. */
const retryMs = { least: 1000, spread: 2000 }

interface Stream {
  response: Response
  topics: Topics
  /** The caller as it is now. @throws an error when it may read no more */
  authorize(): Promise<Caller>
}

/** One stream of server-sent events (HTML standard, §9.2). It ends when its reader is too slow, or loses its rights. */
export class EventStream {
  private readonly waiting: Batch[] = []
  private readonly timers: NodeJS.Timeout[]
  private position: Position | undefined
  private sending = false
  private started = false
  /** Whether the reader has an id of this stream. */
  private isContinued = false
  ended = false

  constructor(private readonly stream: Stream) {
    this.timers = [
      setInterval(() => this.keepAlive(), intervals.alive).unref(),
      setInterval(() => this.requireRights(), intervals.authorize).unref(),
    ]
    stream.response.once('close', () => this.stop())
  }

  /** Sends the batches that came meanwhile, and later ones. @param first the changes that an interrupted reader has missed */
  start(position: Position, first?: Batch): void {
    this.position = position
    this.started = true
    if (first) this.waiting.unshift(first)
    else this.write(`id: ${positionId(position)}\n\n`)
    this.isContinued = !first
    this.send()
  }

  /** Takes a batch of the feed. */
  take(batch: Batch): void {
    this.waiting.push(batch)
    this.send()
  }

  /** Tells the reader to connect again, and ends the stream. */
  end(): void {
    if (this.ended) return
    const { response } = this.stream
    response.end(`retry: ${Math.round(retryMs.least + Math.random() * retryMs.spread)}\n\n`)
    setTimeout(() => response.destroy(), cutAfterMs).unref()
    this.stop()
  }

  private stop(): void {
    this.ended = true
    this.waiting.length = 0
    for (const timer of this.timers) clearInterval(timer)
  }

  private async send(): Promise<void> {
    if (this.sending || !this.started) return
    this.sending = true
    try {
      for (let batch = this.waiting.shift(); batch && !this.ended; batch = this.waiting.shift())
        await this.sendBatch(batch)
    } catch {
      // The rights have ended, or cannot be checked: the reader asks again.
      this.end()
    } finally {
      this.sending = false
    }
  }

  private async sendBatch({ position, changes, incomplete }: Batch): Promise<void> {
    const caller = await this.stream.authorize()
    const updates = await changes.of(caller)
    if (this.ended) return
    const wanted = updates.filter((update) => this.stream.topics([update['@id'], update.collection]))
    this.position = position
    const events = incomplete ? ['event: reload\ndata: {}\n'] : wanted.map(eventOf)
    if (events.length === 0 && this.isContinued) return
    this.isContinued = true
    // The id stands at the end, so an interrupted reader gets the batch once more.
    this.write(`${events.join('\n')}id: ${positionId(position)}\n\n`)
  }

  /** A comment keeps the connection; the id lets an idle reader go on from here. */
  private keepAlive(): void {
    if (this.position) this.write(`:\nid: ${positionId(this.position)}\n\n`)
  }

  private async requireRights(): Promise<void> {
    await this.stream.authorize().catch(() => this.end())
  }

  private write(text: string): void {
    const { response } = this.stream
    if (this.ended) return
    if (response.writableLength + text.length > maxWaitingBytes) this.end()
    else response.write(text)
  }
}

function eventOf(update: Update): string {
  return `data: ${JSON.stringify(update)}\n`
}
