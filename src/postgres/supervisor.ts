import { setTimeout as sleep } from 'node:timers/promises'
import type { DatabaseCluster } from './database-cluster.ts'
import { joinOrStart, type Lease } from './postmaster.ts'

/** The wait before a restart: none before the first one, then twice as long each time. */
const backoff = { minMs: 500, maxMs: 10_000 }

/** A Postgres that has run this long no longer counts as one that keeps crashing. */
const stableAfterMs = 60_000

/** Failed restarts in a row before the supervisor gives up. */
const maxFailures = 6

/**
 * Restarts Postgres after it has ended by itself, for example after a crash.
 * Of several servers on one Postgres, one restarts it and the others join.
 */
export class PostgresSupervisor {
  private readonly stopping = new AbortController()
  private restarting: Promise<void> | undefined
  private crashes = 0
  private startedAt = Date.now()

  constructor(
    private lease: Lease,
    private readonly cluster: DatabaseCluster,
    private readonly log: (line: string) => void,
    private readonly onLost: (error: Error) => void,
  ) {
    this.watch(lease)
  }

  /** Stops the supervision. @returns the current lease, whose connection may be broken */
  async stop(): Promise<Lease> {
    this.stopping.abort()
    await this.restarting
    return this.lease
  }

  private watch(lease: Lease): void {
    lease.once('end', () => {
      if (this.stopping.signal.aborted) return
      this.restarting = this.restart().catch((error) => {
        if (!this.stopping.signal.aborted) this.onLost(error)
      })
    })
  }

  /** @throws the last error, after too many failed restarts */
  private async restart(): Promise<void> {
    const { signal } = this.stopping
    this.log('The connection to Postgres has ended. Joining or restarting Postgres.')
    if (Date.now() - this.startedAt > stableAfterMs) this.crashes = 0
    for (let failures = 0; ; ) {
      await this.waitBeforeRestart()
      try {
        this.lease = await joinOrStart(this.cluster, this.log, signal)
        break
      } catch (error) {
        failures += 1
        if (signal.aborted || failures === maxFailures) throw error
        this.log(`${(error as Error).message}\nRetrying.`)
      }
    }
    this.startedAt = Date.now()
    this.lease.unref()
    this.watch(this.lease)
  }

  private async waitBeforeRestart(): Promise<void> {
    this.crashes += 1
    if (this.crashes === 1) return
    const delayMs = Math.min(backoff.minMs * 2 ** (this.crashes - 2), backoff.maxMs)
    await sleep(delayMs, undefined, { ref: false, signal: this.stopping.signal })
  }
}
