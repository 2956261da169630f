import type { QueryRunner } from 'typeorm'

/** Whether a step that adds a constraint has run already. */
export async function hasConstraint(runner: QueryRunner, name: string): Promise<boolean> {
  return (await runner.query('SELECT FROM pg_constraint WHERE conname = $1', [name])).length > 0
}

/** Builds an index without stopping writers. An index that an interrupted build has left invalid is built again. */
export async function buildIndex(
  runner: QueryRunner,
  name: string,
  table: string,
  columns: string[],
  unique = '',
): Promise<void> {
  const [index] = await runner.query('SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)', [
    `"${name}"`,
  ])
  if (index?.indisvalid) return
  if (index) await runner.query(`DROP INDEX CONCURRENTLY "${name}"`)
  const list = columns.map((column) => `"${column}"`).join(', ')
  await runner.query(`CREATE ${unique} INDEX CONCURRENTLY "${name}" ON "${table}" (${list})`)
}

/** Checks the rows of foreign keys that were added without a check, while others read and write. */
export async function validate(runner: QueryRunner): Promise<void> {
  const unchecked = await runner.query(
    `SELECT conrelid::regclass::text AS "table", conname AS "name" FROM pg_constraint
      WHERE contype = 'f' AND NOT convalidated AND connamespace = current_schema()::regnamespace`,
  )
  for (const { table, name } of unchecked) await runner.query(`ALTER TABLE ${table} VALIDATE CONSTRAINT "${name}"`)
}

/** Runs a few steps in one transaction, in a migration that has none of its own. */
export async function inTransaction(runner: QueryRunner, work: () => Promise<void>): Promise<void> {
  await runner.startTransaction()
  try {
    await work()
    await runner.commitTransaction()
  } catch (error) {
    await runner.rollbackTransaction()
    throw error
  }
}
