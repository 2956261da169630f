/** Deliveries that one process sends at a time, of which endpoints that fail have half. */
const [mostInAll, mostOfFailing] = [32, 16]

/** Those of one endpoint, and of one whose last attempt failed. */
const [mostOfOne, mostOfOneFailing] = [4, 1]

/** Deliveries of one endpoint that wait here. The others stay in the table, and the job for stale work offers them later. */
const mostWaiting = 1000

export interface Waiting {
  id: string
  organizationId: string
}

/** The deliveries of one endpoint, in the order in which they were offered. */
export interface Lane {
  readonly endpoint: string
  readonly organizationId: string
  readonly waiting: Waiting[]
  running: number
  isFailing: boolean
}

/**
 * Divides the places of a process among endpoints, and among their organizations. An organization holds at most half of the places
 * that the others leave, and all failing endpoints together hold half of them. So receivers that answer nothing leave room for others.
 */
export class SendingLanes {
  /** By endpoint, in the order in which they get a place. */
  private readonly lanes = new Map<string, Lane>()
  /** The deliveries that wait. One that is offered while it runs is leased already, or has started over. */
  private readonly known = new Set<string>()
  private readonly held = new Map<string, number>()
  private free = mostInAll

  /** @param isFailing whether the last attempt at the endpoint failed, where no delivery of it waits or runs here */
  add(delivery: Waiting, endpoint: string, isFailing: boolean): void {
    const { id, organizationId } = delivery
    const lane = this.lanes.get(endpoint) ?? { endpoint, organizationId, waiting: [], running: 0, isFailing }
    if (this.known.has(id) || lane.waiting.length >= mostWaiting) return
    this.lanes.set(endpoint, lane)
    this.known.add(id)
    lane.waiting.push(delivery)
  }

  /** Takes a place for the next delivery that may start; undefined where there is none. */
  take(): { delivery: Waiting; lane: Lane } | undefined {
    if (this.free === 0) return undefined
    const failing = this.countFailing()
    for (const lane of this.lanes.values()) {
      if (!this.mayStart(lane, failing)) continue
      const delivery = lane.waiting.shift() as Waiting
      this.known.delete(delivery.id)
      lane.running += 1
      this.free -= 1
      this.hold(lane.organizationId, 1)
      // The endpoint goes to the end of the line, so that others are first when a place is free.
      this.lanes.delete(lane.endpoint)
      this.lanes.set(lane.endpoint, lane)
      return { delivery, lane }
    }
    return undefined
  }

  /** Gives a place back. @param accepted undefined where nothing was sent */
  release(lane: Lane, accepted: boolean | undefined): void {
    lane.running -= 1
    this.free += 1
    this.hold(lane.organizationId, -1)
    if (accepted !== undefined) lane.isFailing = !accepted
    if (lane.running === 0 && lane.waiting.length === 0) this.lanes.delete(lane.endpoint)
  }

  private mayStart({ waiting, running, isFailing, organizationId }: Lane, failing: number): boolean {
    if (waiting.length === 0 || running >= (isFailing ? mostOfOneFailing : mostOfOne)) return false
    if (isFailing && failing >= mostOfFailing) return false
    const held = this.held.get(organizationId) ?? 0
    return held < Math.max(1, Math.floor((this.free + held) / 2))
  }

  private countFailing(): number {
    let sum = 0
    for (const { isFailing, running } of this.lanes.values()) if (isFailing) sum += running
    return sum
  }

  private hold(organization: string, places: number): void {
    const held = (this.held.get(organization) ?? 0) + places
    if (held === 0) this.held.delete(organization)
    else this.held.set(organization, held)
  }
}
