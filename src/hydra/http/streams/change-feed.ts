import type { Executor } from '../../model/store.ts'
import type { ChangeLog, Position } from '../../store/change-log.ts'
import { TenantScope } from '../../store/tenant-scope.ts'
import type { BoundApi } from '../bound-api.ts'
import { VisibleChanges } from './visible-changes.ts'

/** Changes of one tenant, in the order of their commits. */
export interface Batch {
  position: Position
  changes: VisibleChanges
  /** Whether changes are missing between this batch and the previous position. */
  incomplete: boolean
}

/** A stream that takes the batches of its tenant. It must not throw. */
export type Take = (batch: Batch) => void

/** Calls back when changes may have been committed. @returns a function that stops it */
export type Listen = (wake: () => void) => () => void

interface Tenant {
  position: Position
  takers: Set<Take>
  /** The end of the last read: reads of one tenant follow each other, so no change is given twice. */
  read: Promise<void>
}

/** Intervals in milliseconds. Wake-ups can be lost, so the table is also read without one. */
const intervals = { read: 50, poll: 2000 }

/** Seconds after which the position of a tenant without changes is renewed, so that a stream can always be continued. */
const renewAfter = 600

/** The share of the database's connections that reads for all tenants take. */
const ownShare = 'change streams'

/** Reads changes for all streams of this process: one query for all tenants, and one for each tenant that has changes. */
export class ChangeFeed {
  private readonly tenants = new Map<string, Tenant>()
  private stopListening: (() => void) | undefined
  private timer: NodeJS.Timeout | undefined
  private reading = false
  private dueAt = 0

  constructor(
    private readonly api: BoundApi,
    private readonly log: ChangeLog,
    private readonly listen: Listen,
    private readonly observeLag: (seconds: number) => void,
  ) {}

  /**
   * Gives each later batch of a tenant to a stream.
   * @returns the position before them, and a function that leaves the feed
   */
  async join(id: string, take: Take): Promise<{ position: Position; leave: () => void }> {
    const known = this.tenants.get(id)
    const tenant = known ?? (await this.open(id))
    // The new stream begins now, and not at the last poll.
    if (known) await this.readTenant(id)
    this.tenants.set(id, tenant)
    tenant.takers.add(take)
    this.stopListening ??= this.listen(() => this.schedule(intervals.read))
    this.schedule(intervals.poll)
    return { position: tenant.position, leave: () => this.leave(id, take) }
  }

  /** Reads the changes since a position for one stream, which was interrupted. */
  async catchUp(id: string, from: Position): Promise<Batch> {
    const { changes, ...read } = await this.log.read(this.executorOf(id), id, from)
    return { ...read, changes: new VisibleChanges(this.api, changes) }
  }

  /** The batch for a stream whose last position cannot be continued from. */
  lost(position: Position): Batch {
    return { position, changes: new VisibleChanges(this.api, []), incomplete: true }
  }

  private executorOf(tenant?: string): Executor {
    return this.api.pools.items.of(ownShare, undefined, TenantScope.of(tenant ?? null))
  }

  private async open(id: string): Promise<Tenant> {
    const position = await this.log.position(this.executorOf(id), id)
    const tenant = this.tenants.get(id) ?? { position, takers: new Set(), read: Promise.resolve() }
    this.tenants.set(id, tenant)
    return tenant
  }

  private leave(id: string, take: Take): void {
    const tenant = this.tenants.get(id)
    tenant?.takers.delete(take)
    if (tenant?.takers.size === 0) this.tenants.delete(id)
    if (this.tenants.size > 0) return
    clearTimeout(this.timer)
    this.dueAt = 0
    this.stopListening?.()
    this.stopListening = undefined
  }

  /** Reads in so many milliseconds at the latest. */
  private schedule(delayMs: number): void {
    const dueAt = performance.now() + delayMs
    if (this.tenants.size === 0 || (this.dueAt > 0 && this.dueAt <= dueAt)) return
    this.dueAt = dueAt
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.read(), delayMs).unref()
  }

  private async read(): Promise<void> {
    this.dueAt = 0
    if (!this.reading) {
      this.reading = true
      // While the database is away, the next poll tries again: positions stay where they are.
      await this.readAll().catch(() => {})
      this.reading = false
    }
    this.schedule(intervals.poll)
  }

  private async readAll(): Promise<void> {
    const positions = new Map([...this.tenants].map(([id, { position }]) => [id, position]))
    const due = new Set(await this.log.withNews(this.executorOf(), positions))
    const renewed = Date.now() / 1000 - renewAfter
    for (const [id, { seconds }] of positions) if (seconds < renewed) due.add(id)
    await Promise.all([...due].map((id) => this.readTenant(id)))
  }

  private readTenant(id: string): Promise<void> {
    const tenant = this.tenants.get(id)
    if (!tenant) return Promise.resolve()
    const next = tenant.read.then(() => this.readNext(id, tenant))
    tenant.read = next.catch(() => {})
    return next
  }

  private async readNext(id: string, tenant: Tenant): Promise<void> {
    const { position, changes, incomplete, lag } = await this.log.read(this.executorOf(id), id, tenant.position)
    tenant.position = position
    if (changes.length > 0) this.observeLag(lag)
    const batch = { position, changes: new VisibleChanges(this.api, changes), incomplete }
    for (const take of tenant.takers) take(batch)
  }
}
