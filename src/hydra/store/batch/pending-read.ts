import { Problem } from '../../model/problem.ts'
import type { Client, ReadKey, ReadRow } from '../../model/store.ts'
import type { TenantScope } from '../tenant-scope.ts'

/** Milliseconds that a read may wait and run. */
const patienceMs = 2000

/** A read of one request, from its arrival to its rows. */
export class PendingRead {
  readonly rows: Promise<ReadRow[]>
  isSettled = false
  /** Called at the deadline while the read still waits to be sent. */
  onExpired: (() => void) | undefined
  private resolve!: (rows: ReadRow[]) => void
  private reject!: (error: unknown) => void
  private readonly timer: NodeJS.Timeout

  constructor(
    readonly keys: ReadKey[],
    readonly tenant: string,
    private readonly client: Client | undefined,
    readonly scope?: TenantScope,
  ) {
    this.rows = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    this.timer = setTimeout(() => this.expire(), patienceMs)
  }

  /** Whether the client has closed its connection, so that its response is lost. */
  get isAbandoned(): boolean {
    return this.client?.socket?.destroyed === true
  }

  succeed(rows: ReadRow[]): void {
    this.settle()
    this.resolve(rows)
  }

  fail(error: unknown): void {
    this.settle()
    this.reject(error)
  }

  private settle(): void {
    this.isSettled = true
    clearTimeout(this.timer)
  }

  private expire(): void {
    this.onExpired?.()
    const sentence = `The database cannot be reached at the moment: it did not answer within ${patienceMs / 1000} seconds. Try again shortly.`
    this.fail(new Problem(503, sentence, { 'Retry-After': '2' }))
  }
}
