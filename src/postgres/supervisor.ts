import { setTimeout as sleep } from 'node:timers/promises'
import type { DatabaseCluster } from './database-cluster.ts'
import { joinOrStart, type Lease } from './postmaster.ts'

/** Milliseconds between tries to start Postgres again: none before the first, then twice as many each time. */
const pause = { least: 500, most: 10_000 }

/** Milliseconds after which a server that ends is no longer taken for one that keeps ending. */
const stable = 60_000

/** How many starts may fail one after the other. */
const most = 6

/** Starts Postgres again when it ends without being told to, as after a crash; of several servers on it, one does and the others join. */
export class PostgresSupervisor {
  private readonly stopping = new AbortController()
  private restarting: Promise<void> | undefined
  private ends = 0
  private since = Date.now()

  constructor(
    private hold: Lease,
    private readonly cluster: DatabaseCluster,
    private readonly log: (line: string) => void,
    private readonly lost: (error: Error) => void,
  ) {
    this.watch(hold)
  }

  /** Leaves Postgres alone from now on; gives back the connection that holds it, which may be broken. */
  async stop(): Promise<Lease> {
    this.stopping.abort()
    await this.restarting
    return this.hold
  }

  private watch(hold: Lease): void {
    hold.once('end', () => {
      if (this.stopping.signal.aborted) return
      this.restarting = this.restart().catch((error) => {
        if (!this.stopping.signal.aborted) this.lost(error)
      })
    })
  }

  /** @throws the last error, once too many starts have failed */
  private async restart(): Promise<void> {
    const { signal } = this.stopping
    this.log('The connection to Postgres has ended: it is joined, or started again.')
    if (Date.now() - this.since > stable) this.ends = 0
    for (let failures = 0; ; ) {
      await this.rest()
      try {
        this.hold = await joinOrStart(this.cluster, this.log, signal)
        break
      } catch (error) {
        failures += 1
        if (signal.aborted || failures === most) throw error
        this.log(`${(error as Error).message}\nIt is tried again.`)
      }
    }
    this.since = Date.now()
    this.hold.unref()
    this.watch(this.hold)
  }

  private async rest(): Promise<void> {
    this.ends += 1
    if (this.ends === 1) return
    const milliseconds = Math.min(pause.least * 2 ** (this.ends - 2), pause.most)
    await sleep(milliseconds, undefined, { ref: false, signal: this.stopping.signal })
  }
}
