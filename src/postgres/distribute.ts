import type { DataSource, EntityMetadata } from 'typeorm'
import type { ForeignKeyMetadata } from 'typeorm/metadata/ForeignKeyMetadata.js'
import { nameCollation } from '../../entities/collation.ts'
import { StartError } from '../start/start-error.ts'
import { distributionColumn, tableKinds } from './table-kinds.ts'

/** A statement that distributes the database, and a query that returns a row when nothing is left to do. */
export interface Step {
  statement: string
  done: string
}

const extensions = ['btree_gin', 'btree_gist', 'pg_trgm']

/** Functions that triggers of distributed tables call. Citus finds the functions of triggers, but not what those call. */
const functions = ['fold_text(text)', 'search_text(text[])', 'erases_only(jsonb, jsonb)']

/** Triggers that write only their own row are safe on shards; Citus wants a word on it. */
const setting = 'citus.enable_unsafe_triggers'

const anyPolicy = `SELECT "polname", "polrelid"::regclass AS "on" FROM pg_policy
      JOIN pg_class ON pg_class."oid" = "polrelid" WHERE "relnamespace" = 'public'::regnamespace`

/** Citus accepts no policy with subqueries, and its nodes do not get the setting that names tenants. */
const openAllRows: Step = {
  statement: `DO $$ DECLARE policy record; BEGIN FOR policy IN ${anyPolicy} LOOP
      EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', policy."on");
      EXECUTE format('DROP POLICY %I ON %s', policy."polname", policy."on");
    END LOOP; END $$`,
  done: `SELECT 1 WHERE NOT EXISTS (${anyPolicy})`,
}

/**
 * Transactions are numbered on the node of their rows, and Citus computes the default of a column on the coordinator. So a
 * trigger on the node numbers each change.
 */
const stampSteps: Step[] = [
  {
    statement: `CREATE FUNCTION "stamp_change"() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN NEW."xid" := pg_current_xact_id(); RETURN NEW; END $$`,
    done: `SELECT 1 WHERE to_regproc('stamp_change') IS NOT NULL`,
  },
  {
    statement: `CREATE TRIGGER "change_stamp" BEFORE INSERT ON "change" FOR EACH ROW EXECUTE FUNCTION "stamp_change"()`,
    done: `SELECT 1 FROM pg_trigger WHERE tgname = 'change_stamp' AND tgrelid = '"change"'::regclass`,
  },
]

type ForeignKey = Pick<ForeignKeyMetadata, 'name' | 'columnNames' | 'referencedTablePath' | 'referencedColumnNames'> &
  Record<'entityMetadata' | 'referencedEntityMetadata', Pick<EntityMetadata, 'tableName'>>

/** The foreign key of a table without a class. */
const exportParts: ForeignKey = {
  name: 'organization_export_part:export',
  entityMetadata: { tableName: 'organization_export_part' },
  columnNames: ['organizationId', 'exportId'],
  referencedEntityMetadata: { tableName: 'organization_export' },
  referencedTablePath: 'organization_export',
  referencedColumnNames: ['organizationId', 'id'],
}

/**
 * Everything that Citus needs to distribute the migrated database, in order. Foreign keys are dropped first and added last:
 * Citus would otherwise move tables of the wrong kind along with the tables that they refer to.
 * @param name of the database
 */
export function distributionSteps(name: string, entityMetadatas: EntityMetadata[]): Step[] {
  const foreignKeys = [...entityMetadatas.flatMap((metadata) => metadata.foreignKeys), exportParts]
  const [first, ...others] = tableKinds.distributed
  const turnOn = `ALTER DATABASE "${name.replaceAll('"', '""')}" SET ${setting} = on`
  const isOn = `SELECT count(*) FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
      WHERE datname = current_database() AND '${setting}=on' = ANY (setconfig)`
  return [
    {
      statement: 'SELECT citus_set_coordinator_host(host(inet_server_addr()), inet_server_port())',
      done: 'SELECT 1 FROM pg_dist_node WHERE groupid = 0',
    },
    { statement: turnOn, done: `SELECT 1 WHERE (${isOn}) = 1` },
    onWorkers(turnOn, isOn),
    ...extensions.map((extension) =>
      onWorkers(
        `CREATE EXTENSION IF NOT EXISTS "${extension}"`,
        `SELECT count(*) FROM pg_extension WHERE extname = '${extension}'`,
      ),
    ),
    onWorkers(
      `CREATE COLLATION IF NOT EXISTS "${nameCollation}" (provider = icu, locale = 'und')`,
      `SELECT count(*) FROM pg_collation WHERE collname = '${nameCollation}'`,
    ),
    openAllRows,
    ...foreignKeys.map(drop),
    ...stampSteps,
    ...functions.map((signature) => ({
      statement: `SELECT create_distributed_function('${signature}')`,
      done: `SELECT 1 FROM pg_dist_object WHERE classid = 'pg_proc'::regclass AND objid = '${signature}'::regprocedure`,
    })),
    ...tableKinds.reference.map((table) => ({
      statement: `SELECT create_reference_table('"${table}"')`,
      done: isCitus(table),
    })),
    distribute(first, 'none'),
    ...others.map((table) => distribute(table, first)),
    ...foreignKeys.map(add),
  ]
}

/**
 * Runs the steps that are left, on one connection.
 * @param log receives each statement that runs
 * @throws StartError where the database has no Citus, or where a node refused a step
 */
export async function applySteps(
  database: DataSource,
  steps: Step[],
  log: (statement: string) => void = () => {},
): Promise<void> {
  const runner = database.createQueryRunner()
  try {
    const isDone = async ({ done }: Step) => (await runner.query(done)).length > 0
    const isInstalled = `SELECT 1 WHERE to_regproc('create_distributed_table') IS NOT NULL`
    if ((await runner.query(isInstalled)).length === 0)
      throw new StartError(
        'The database has no extension "citus". Install Citus on every node, then run CREATE EXTENSION citus.',
      )
    await runner.query(`SET ${setting} = on`)
    // A cached connection to a worker would keep the settings of its start.
    await runner.query('SET citus.max_cached_conns_per_worker = 0')
    for (const step of steps) {
      if (await isDone(step)) continue
      log(step.statement)
      await runner.query(step.statement)
      if (!(await isDone(step))) throw new StartError(`A node refused this statement: ${step.statement}`)
    }
  } finally {
    await runner.release()
  }
}

/** @param count a query for each worker, which returns 1 once the command has been run */
function onWorkers(command: string, count: string): Step {
  return {
    statement: `SELECT * FROM run_command_on_workers($command$${command}$command$)`,
    done: `SELECT 1 WHERE NOT EXISTS (SELECT FROM run_command_on_workers($count$${count}$count$) WHERE result IS DISTINCT FROM '1')`,
  }
}

function distribute(table: string, colocateWith: string): Step {
  return {
    statement: `SELECT create_distributed_table('"${table}"', '${distributionColumn}', colocate_with => '${colocateWith}')`,
    done: isCitus(table),
  }
}

/** Tables that Citus keeps on the coordinator are in its list, too; they count as not distributed yet. */
function isCitus(table: string): string {
  return `SELECT 1 FROM citus_tables WHERE table_name = '"${table}"'::regclass AND citus_table_type IN ('reference', 'distributed')`
}

function drop({ name, entityMetadata, referencedEntityMetadata }: ForeignKey): Step {
  const { tableName } = entityMetadata
  const isLocal = (tableKinds.local as readonly string[]).includes(tableName)
  const sides = [referencedEntityMetadata.tableName, ...(isLocal ? [] : [tableName])]
  const inPlace = sides.map((table) => `EXISTS (${isCitus(table)})`).join(' AND ')
  return {
    statement: `ALTER TABLE "${tableName}" DROP CONSTRAINT "${name}"`,
    done: `SELECT 1 WHERE NOT EXISTS (${hasForeignKey(tableName, name)}) OR (${inPlace})`,
  }
}

function add({
  name,
  entityMetadata: { tableName },
  columnNames,
  referencedTablePath,
  referencedColumnNames,
}: ForeignKey): Step {
  const list = (names: string[]) => names.map((column) => `"${column}"`).join(', ')
  return {
    statement: `ALTER TABLE "${tableName}" ADD CONSTRAINT "${name}" FOREIGN KEY (${list(columnNames)}) REFERENCES "${referencedTablePath}" (${list(referencedColumnNames)})`,
    done: hasForeignKey(tableName, name),
  }
}

function hasForeignKey(table: string, name: string): string {
  return `SELECT 1 FROM pg_constraint WHERE contype = 'f' AND conname = '${name}' AND conrelid = '"${table}"'::regclass`
}
