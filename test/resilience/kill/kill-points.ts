import { eventually } from '../../support/eventually.ts'
import { database, ending } from '../../support/world.ts'

/** Tells the locks of these tests apart from all others. */
const family = 4711

/** What becomes of the statement that was halted, once its client is dead. */
export type Outcome =
  /** It ends as if it had never been begun. */
  | 'undone'
  /** It goes on, as Postgres does not notice, and whatever it commits stands. */
  | 'done'
  /** It goes on only when the server is back already. */
  | 'late'

/** Where to halt. */
export interface KillPointOptions {
  /** As in CREATE TRIGGER, `BEFORE INSERT ON "location"`; or the commit of that, `COMMIT OF INSERT ON "location"`. */
  when: string
  /** For which row, as a condition on NEW or OLD in SQL. */
  which: string
  fate?: Outcome
}

/** The connection that holds the locks. */
const holder = database.createQueryRunner()
ending.push(() => holder.release())

let halts = 0

/** A place at which the server is halted: in Postgres, by a trigger that waits for a lock that the test holds. */
export class KillPoint {
  private constructor(
    private readonly number: number,
    readonly fate: Outcome,
  ) {}

  static async at({ when, which, fate = 'undone' }: KillPointOptions): Promise<KillPoint> {
    halts += 1
    const number = halts
    await holder.query('SELECT pg_advisory_lock($1, $2)', [family, number])
    const change = /^COMMIT OF (.*)$/.exec(when)?.[1]
    const [kind, moment] = change
      ? ['CONSTRAINT TRIGGER', `AFTER ${change} DEFERRABLE INITIALLY DEFERRED`]
      : ['TRIGGER', when]
    await database.query(
      `CREATE FUNCTION "halt_${number}"() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$ BEGIN
        IF ${which} THEN PERFORM pg_advisory_xact_lock_shared(${family}, ${number}); END IF;
        RETURN coalesce(NEW, OLD);
      END $$`,
    )
    await database.query(`CREATE ${kind} "halt_${number}" ${moment} FOR EACH ROW EXECUTE FUNCTION "halt_${number}"()`)
    return new KillPoint(number, fate)
  }

  /** Waits until the server is there. */
  async reached(): Promise<void> {
    await eventually(
      () => this.waiting(),
      (waiting) => expect(waiting).not.toEqual([]),
      30,
    )
  }

  /** Who waits, as process ids of Postgres. */
  async waiting(): Promise<number[]> {
    const rows = await database.query(
      `SELECT "pid" FROM pg_locks WHERE "locktype" = 'advisory' AND "classid" = $1 AND "objid" = $2 AND NOT "granted"
        AND "database" = (SELECT "oid" FROM pg_database WHERE "datname" = current_database())`,
      [family, this.number],
    )
    return rows.map(({ pid }: { pid: number }) => pid)
  }

  /** Lets the fate take its course, once the server is dead; nobody is halted here any more. */
  async lift(): Promise<void> {
    const pids = await this.waiting()
    if (this.fate === 'undone') await database.query('SELECT pg_terminate_backend(p) FROM unnest($1::int[]) p', [pids])
    else await this.unlock()
    await eventually(
      () => database.query('SELECT FROM pg_stat_activity WHERE "pid" = ANY($1)', [pids]),
      (left) => expect(left).toEqual([]),
    )
    if (this.fate === 'undone') await this.unlock()
  }

  /** Takes the trigger away, once nobody is halted at any other either. */
  async remove(): Promise<void> {
    await database.query(`DROP FUNCTION "halt_${this.number}" CASCADE`)
  }

  private unlock(): Promise<unknown> {
    return holder.query('SELECT pg_advisory_unlock($1, $2)', [family, this.number])
  }
}
