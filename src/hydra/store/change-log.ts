import type { Executor } from '../model/store.ts'
import type { ChangeType } from './recorded-changes.ts'
import { keptSeconds } from './recorded-changes.ts'
import { statement } from './statement.ts'
import { TenantScope } from './tenant-scope.ts'

/** A change of a row; without an id it is one of the whole collection, or of the item that a tenant has once. */
export interface Change {
  relation: string
  id: string | null
  type: ChangeType
  version: number | null
}

/**
 * A place in the changes of a tenant: all that this snapshot of Postgres sees are before it. A number would not do, because
 * transactions commit in another order than they begin.
 */
export interface Position {
  /** When the snapshot was taken, in seconds since 1970. */
  seconds: number
  /** The server and its timeline, whose transactions the snapshot numbers. */
  origin: string
  /** In the notation of Postgres's pg_snapshot. */
  snapshot: string
}

/** The changes that were committed since a position, and the position after them. */
export interface ChangesRead {
  position: Position
  changes: Change[]
  /** Whether the position cannot be continued from, or more changes followed than a stream delivers. */
  incomplete: boolean
  /** The seconds since the first of the changes was written. */
  lag: number
}

/** A reader with more changes to catch up on loads its pages again instead. */
const maxChanges = 1000

const notation = /^(\d{1,12})-(\d{1,20}\.[0-9A-F]{8})-(\d{1,19}:\d{1,19}:[\d,]{0,4000})$/

/** The text of a position, which streams send as the id of an event. */
export function positionId({ seconds, origin, snapshot }: Position): string {
  return `${seconds}-${origin}-${snapshot}`
}

/** The position of an event's id; undefined for other texts. */
export function positionOf(id: string): Position | undefined {
  const [, seconds, origin, snapshot] = notation.exec(id) ?? []
  return seconds === undefined ? undefined : { seconds: Number(seconds), origin, snapshot }
}

/** Reads the changes of tenants. Each statement for one tenant runs on the node that holds its rows. */
export class ChangeLog {
  private readonly since
  private readonly now
  private readonly news

  constructor(column: string) {
    const own = `"${column}" = :tenant`
    const position = `extract(epoch FROM now())::bigint AS "seconds", pg_current_snapshot()::text AS "snapshot",
      (SELECT "system_identifier" FROM pg_control_system()) || '.' || left(pg_walfile_name(pg_current_wal_lsn()), 8) AS "origin"`
    const later = (snapshot: string) =>
      `"xid" >= pg_snapshot_xmin(${snapshot}) AND NOT pg_visible_in_snapshot("xid", ${snapshot})`
    const row = `json_build_object('relation', "relation", 'id', "id", 'type', "type", 'version', "version")`
    this.now = statement(
      'changes:now',
      `SELECT ${position} FROM (SELECT count(*) FROM "change" WHERE ${own} AND false) AS "own"`,
    )
    this.since = statement(
      'changes:since',
      `SELECT ${position}, "own".* FROM (SELECT coalesce(json_agg(${row} ORDER BY "xid"), '[]') AS "changes",
          coalesce(extract(epoch FROM clock_timestamp() - min("at")), 0)::float AS "lag"
        FROM (SELECT * FROM "change" WHERE ${own} AND ${later(':snapshot::pg_snapshot')}
          ORDER BY "xid" LIMIT ${maxChanges + 1}) AS "later") AS "own"`,
    )
    this.news = statement(
      'changes:news',
      `SELECT DISTINCT "tenant" FROM unnest(:tenants::uuid[], :snapshots::text[]) AS "read" ("tenant", "snapshot")
        JOIN "change" ON "${column}" = "tenant" AND ${later('"snapshot"::pg_snapshot')}`,
    )
  }

  /** The position after all changes that are committed now. */
  async position(executor: Executor, tenant: string): Promise<Position> {
    return (await this.now(executor, { tenant })).rows[0]
  }

  /** The tenants, of those at these positions, that have later changes. */
  async withNews(executor: Executor, positions: ReadonlyMap<string, Position>): Promise<string[]> {
    const snapshots = [...positions.values()].map(({ snapshot }) => snapshot)
    const tenants = [...positions.keys()]
    const { rows } = await this.news(TenantScope.of(...tenants).limit(executor), { tenants, snapshots })
    return rows.map(({ tenant }) => tenant)
  }

  async read(executor: Executor, tenant: string, from: Position): Promise<ChangesRead> {
    const { rows } = await this.since(executor, { tenant, snapshot: from.snapshot })
    const [{ seconds, origin, snapshot, changes, lag }] = rows
    const isForgotten = origin !== from.origin || seconds - from.seconds > keptSeconds
    const incomplete = isForgotten || changes.length > maxChanges
    return { position: { seconds, origin, snapshot }, changes: incomplete ? [] : merged(changes), incomplete, lag }
  }
}

/** One change a row: its last state, and whether it was created or deleted meanwhile. */
function merged(changes: Change[]): Change[] {
  const byRow = new Map<string, Change>()
  for (const change of changes) {
    const key = `${change.relation} ${change.id}`
    const known = byRow.get(key)
    if (!known) byRow.set(key, change)
    else {
      const type = [known.type, change.type].find((each) => each === 'delete') ?? known.type
      const version = Math.max(known.version ?? 0, change.version ?? 0)
      byRow.set(key, { ...known, type, version: version || null })
    }
  }
  return [...byRow.values()]
}
