import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import { TenantScope } from '../hydra/index.ts'
import { withTimeout } from '../start/with-timeout.ts'
import type { DeliveryKey } from './enqueue-deliveries.ts'
import { sendDelivery } from './send-delivery.ts'
import type { Webhooks } from './settings.ts'

/** Deliveries that one process sends at a time: to all endpoints, to one, and to one whose last attempt failed. */
const [mostInAll, mostOfOne, mostOfFailing] = [32, 4, 1]

/** Deliveries of one endpoint that wait here. The others stay in the table, and the job for stale work offers them later. */
const mostWaiting = 1000

/** How long a stop waits for answers of receivers. */
const graceMs = 5000

/** The deliveries of one endpoint, in the order in which they were offered. */
interface Lane {
  waiting: { id: string; organizationId: string }[]
  running: number
  isFailing: boolean
}

/**
 * Sends deliveries beside the queue of jobs, whose few places a slow receiver would occupy. A failing endpoint has one place, so that
 * receivers that answer nothing leave room for others.
 */
export class WebhookSender {
  private readonly lanes = new Map<string, Lane>()
  /** The deliveries that wait. One that is offered while it runs is leased already, or has started over. */
  private readonly known = new Set<string>()
  private readonly running = new Set<Promise<void>>()
  private readonly stopping = new AbortController()
  private stopped = false

  constructor(
    private readonly database: DataSource,
    private readonly webhooks: Webhooks,
    private readonly log: Pick<Logger, 'error'>,
  ) {}

  /** The job `sendWebhooks`. It does not wait for receivers. */
  readonly offer = async ({ organization, deliveries }: { organization: string; deliveries: DeliveryKey[] }) => {
    for (const { id, endpoint } of deliveries) {
      const lane = this.lanes.get(endpoint) ?? { waiting: [], running: 0, isFailing: false }
      if (this.known.has(id) || lane.waiting.length >= mostWaiting) continue
      this.lanes.set(endpoint, lane)
      this.known.add(id)
      lane.waiting.push({ id, organizationId: organization })
    }
    this.startWaiting()
  }

  /** Starts no more deliveries. Those without an answer after a few seconds are interrupted, and sent again by the next process. */
  async stop(): Promise<void> {
    this.stopped = true
    if (await withTimeout(graceMs, Promise.all(this.running))) return
    this.stopping.abort()
    await Promise.all(this.running)
  }

  private startWaiting(): void {
    for (const [endpoint, lane] of this.lanes) {
      const most = lane.isFailing ? mostOfFailing : mostOfOne
      while (!this.stopped && this.running.size < mostInAll && lane.running < most && lane.waiting.length > 0)
        this.start(endpoint, lane)
      if (lane.running === 0 && lane.waiting.length === 0 && !lane.isFailing) this.lanes.delete(endpoint)
    }
  }

  private start(endpoint: string, lane: Lane): void {
    const delivery = lane.waiting.shift() as Lane['waiting'][number]
    this.known.delete(delivery.id)
    lane.running += 1
    // The endpoint goes to the end of the line, so that others are first when a place is free.
    this.lanes.delete(endpoint)
    this.lanes.set(endpoint, lane)
    const own = TenantScope.of(delivery.organizationId).view(this.database)
    const run = sendDelivery(own, this.webhooks, delivery, this.stopping.signal)
      .then((accepted) => {
        if (accepted !== undefined) lane.isFailing = !accepted
      })
      .catch((error) => this.log.error({ err: error, delivery: delivery.id }, 'could not send a webhook'))
      .finally(() => {
        lane.running -= 1
        this.running.delete(run)
        this.startWaiting()
      })
    this.running.add(run)
  }
}
