import { Client } from 'pg'
import { eventually } from '../../support/eventually.ts'
import { openWorld } from '../../support/world.ts'

const { database, directUrl, ending } = await openWorld()

/** The first key of the advisory locks of kill points. */
const lockClass = 4711

/** The end of the stopped statement after its client is killed. */
export type Outcome =
  /** It is rolled back. */
  | 'undone'
  /** It continues, because Postgres does not notice the kill, and commits. */
  | 'done'
  /** It continues after the server is back. */
  | 'late'

/** The statement and the row to stop at. */
export interface KillPointOptions {
  /** As in CREATE TRIGGER: `BEFORE INSERT ON "location"`. For its commit: `COMMIT OF INSERT ON "location"`. */
  timing: string
  /** An SQL condition on NEW or OLD. */
  condition: string
  outcome?: Outcome
}

/** The connection that holds the locks. */
const holder = new Client(directUrl)
// A test may end every connection to the database.
holder.on('error', () => {})
await holder.connect()
ending.push(() => holder.end().catch(() => {}))

let count = 0

/** Stops the server at a statement: a trigger waits for an advisory lock that the test holds. */
export class KillPoint {
  private constructor(
    private readonly number: number,
    readonly outcome: Outcome,
  ) {}

  static async at({ timing, condition, outcome = 'undone' }: KillPointOptions): Promise<KillPoint> {
    count += 1
    const number = count
    await holder.query('SELECT pg_advisory_lock($1, $2)', [lockClass, number])
    const change = /^COMMIT OF (.*)$/.exec(timing)?.[1]
    const [kind, moment] = change
      ? ['CONSTRAINT TRIGGER', `AFTER ${change} DEFERRABLE INITIALLY DEFERRED`]
      : ['TRIGGER', timing]
    await database.query(
      `CREATE FUNCTION "kill_point_${number}"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = 0 AS $$ BEGIN
        IF ${condition} THEN PERFORM pg_advisory_xact_lock_shared(${lockClass}, ${number}); END IF;
        RETURN coalesce(NEW, OLD);
      END $$`,
    )
    await database.query(
      `CREATE ${kind} "kill_point_${number}" ${moment} FOR EACH ROW EXECUTE FUNCTION "kill_point_${number}"()`,
    )
    return new KillPoint(number, outcome)
  }

  /** Waits until the server has stopped here. */
  async reached(): Promise<void> {
    await eventually(
      () => this.waiting(),
      (waiting) => expect(waiting).not.toEqual([]),
      30,
    )
  }

  /** The process ids of the backends that wait here. */
  async waiting(): Promise<number[]> {
    const rows = await database.query(
      `SELECT "pid" FROM pg_locks WHERE "locktype" = 'advisory' AND "classid" = $1 AND "objid" = $2 AND NOT "granted"
        AND "database" = (SELECT "oid" FROM pg_database WHERE "datname" = current_database())`,
      [lockClass, this.number],
    )
    return rows.map(({ pid }: { pid: number }) => pid)
  }

  /** Rolls the stopped statement back or lets it continue. It is called after the server is killed. */
  async release(): Promise<void> {
    const pids = await this.waiting()
    if (this.outcome === 'undone')
      await database.query('SELECT pg_terminate_backend(p) FROM unnest($1::int[]) p', [pids])
    else await this.unlock()
    await eventually(
      () => database.query('SELECT FROM pg_stat_activity WHERE "pid" = ANY($1)', [pids]),
      (left) => expect(left).toEqual([]),
    )
    if (this.outcome === 'undone') await this.unlock()
  }

  /** Removes the trigger. No statement may wait at any kill point then. */
  async remove(): Promise<void> {
    await database.query(`DROP FUNCTION "kill_point_${this.number}" CASCADE`)
  }

  private unlock(): Promise<unknown> {
    return holder.query('SELECT pg_advisory_unlock($1, $2)', [lockClass, this.number])
  }
}
