import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import { TenantScope } from '../hydra/index.ts'
import { withTimeout } from '../start/with-timeout.ts'
import type { DeliveryKey } from './enqueue-deliveries.ts'
import { sendDelivery } from './send-delivery.ts'
import { type Lane, SendingLanes, type Waiting } from './sending-lanes.ts'
import type { Webhooks } from './settings.ts'

/** How long a stop waits for answers of receivers. */
const graceMs = 5000

/** Sends deliveries beside the queue of jobs, whose few places a slow receiver would occupy. */
export class WebhookSender {
  private readonly lanes = new SendingLanes()
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
    for (const { id, endpoint, isFailing = false } of deliveries)
      this.lanes.add({ id, organizationId: organization }, endpoint, isFailing)
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
    while (!this.stopped) {
      const next = this.lanes.take()
      if (!next) return
      this.start(next.delivery, next.lane)
    }
  }

  private start(delivery: Waiting, lane: Lane): void {
    const own = TenantScope.of(delivery.organizationId).view(this.database)
    let accepted: boolean | undefined
    const run = sendDelivery(own, this.webhooks, delivery, this.stopping.signal)
      .then((result) => {
        accepted = result
      })
      .catch((error) => this.log.error({ err: error, delivery: delivery.id }, 'could not send a webhook'))
      .finally(() => {
        this.lanes.release(lane, accepted)
        this.running.delete(run)
        this.startWaiting()
      })
    this.running.add(run)
  }
}
