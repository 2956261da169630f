import type { MigrationInterface, QueryRunner } from 'typeorm'
import { lowerCompatibleFrom, raiseCompatibleFrom } from './compatibility.ts'
import { buildIndex, hasConstraint, inTransaction, validate } from './online-changes.ts'

/** The tables of tenants, with the hashes in the names of the key that goes and of the key ("organizationId", "id"). */
const keys: Record<string, [old: string, pair: string]> = {
  audit_event: ['481efbe8b0a403efe3f47a6528f', '2fdd1973cb263aefbc4385417d0'],
  bank_account: ['f3246deb6b79123482c6adb9745', 'a407869d189f3e9830f419d72c8'],
  bank_transaction: ['729b2e0031227515d2ef6f14336', 'a4f87d17678778439a8800acc85'],
  employee: ['3c2bc72f03fd5abbbc5ac169498', '2247275992abef0cbd8ab26a488'],
  integration: ['f348d4694945d9dc4c7049a178a', '5c6d1ea1fa3a5856088a822405a'],
  invoice: ['15d25c200d9bcd8a33f698daf18', '1d4ba866e9de6dc98d234111082'],
  location: ['876d7bdba03c72251ec4c2dc827', '8c66a51c3dd081ebe059911330d'],
  meeting: ['dccaf9e4c0e39067d82ccc7bb83', '0df54c45775c222ece9dc15b9d8'],
  organization_address: ['0f31fe3925535afb5462326d7d6', 'a9365e6f439328579395b3cef8e'],
  organization_config: ['b2683bdc08b2cccae9eeb00af45', 'a815c070c0f29caf305f52dfc41'],
  organization_module: ['8e1a14187bdda302870f8e6d13b', 'e285a518a75427802627ea27904'],
  organization_user: ['b93269ca4d9016837d22ab6e1e0', '96dfa94c6cfab9a29571e23bf45'],
  organization_user_invitation: ['49092ca1394b21eb0da229905f4', '84cc108ff41f2e843140419dc34'],
  outgoing_mail: ['ed85381cac829352bf9e8238ff8', '31cd8c8181d1b915a6cdb46870f'],
  payment_method: ['7744c2b2dd932c9cf42f2b9bc3a', '957d04b530f046ae3e1c0f318e8'],
  subscription: ['8c3e00ebd02103caa1174cd5d9d', '542cd1376268678f2299d90c62e'],
}

/** Unique indexes of each table that now begin with the organization: name and columns before, name and columns after. */
const uniques = [
  {
    table: 'bank_account',
    columns: ['integrationId', 'reference'],
    old: '5db5b2c6e41e9d0c112a906d3e',
    name: '7ed9a4d2688c197c2589cd2d00',
  },
  {
    table: 'payment_method',
    columns: ['externalId'],
    old: '324cefab9e32b700c543024dbb',
    name: '56aa79ac35844a06fd08dbe8cd',
  },
  {
    table: 'subscription',
    columns: ['externalId'],
    old: '335f42003a267eee7b44c69a00',
    name: '25861fb71840c3aa9721d7a732',
  },
  { table: 'invoice', columns: ['externalId'], old: '637c4baff3d0e1abd947340404', name: '4555b3247f8b4ed83031260a5c' },
]

/** Jobs find these rows by their id alone. */
const lookups = [
  { table: 'integration', name: 'IDX_f348d4694945d9dc4c7049a178' },
  { table: 'outgoing_mail', name: 'IDX_ed85381cac829352bf9e8238ff' },
]

const ofIntegration = 'IDX_f9cdf7abdead5b20892e92119d'

const overlap = (
  columns: string,
) => `EXCLUDE USING gist (${columns}, tstzrange("dateFrom", "dateTo") WITH &&, "id" WITH <>)
  WHERE ("exclusive" AND "employeeId" IS NOT NULL)`

interface ForeignKey {
  table: string
  name: string
  definition: string
}

/**
 * Every key of a tenant's rows begins with the organization: a distributed database can hold a key only within one node.
 * Indexes are built while others read and write. Each step can run again, so a migration that was interrupted goes on.
 */
export class TenantKeys1764000000100 implements MigrationInterface {
  readonly transaction = false

  async up(runner: QueryRunner): Promise<void> {
    await raiseCompatibleFrom(runner, this)
    for (const [table, [old, pair]] of Object.entries(keys)) await replaceKey(runner, table, old, pair)
    for (const { table, columns, old, name } of uniques) {
      await buildIndex(runner, `IDX_${name}`, table, ['organizationId', ...columns], 'UNIQUE')
      await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS "IDX_${old}"`)
    }
    for (const { table, name } of lookups) await buildIndex(runner, name, table, ['id'])
    await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS "${ofIntegration}"`)
    await releaseEnded(runner)
    await replaceOverlap(runner, '"organizationId" WITH =, "employeeId" WITH =')
    await validate(runner)
  }

  async down(runner: QueryRunner): Promise<void> {
    await replaceOverlap(runner, '"employeeId" WITH =')
    await buildIndex(runner, ofIntegration, 'bank_account', ['integrationId', 'id'])
    for (const { name } of lookups) await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS "${name}"`)
    for (const { table, columns, old, name } of uniques) {
      await buildIndex(runner, `IDX_${old}`, table, columns, 'UNIQUE')
      await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS "IDX_${name}"`)
    }
    for (const [table, [old, pair]] of Object.entries(keys)) await restoreKey(runner, table, old, pair)
    await validate(runner)
    await lowerCompatibleFrom(runner, 0)
  }
}

/** Foreign keys depend on the unique constraint, so they are dropped and added with it, for a moment under locks. */
async function replaceKey(runner: QueryRunner, table: string, old: string, pair: string): Promise<void> {
  if (await hasConstraint(runner, `PK_${pair}`)) return
  await buildIndex(runner, `PK_${pair}`, table, ['organizationId', 'id'], 'UNIQUE')
  await inTransaction(runner, async () => {
    const restore = await dropForeignKeys(runner, `UQ_${pair}`)
    await runner.query(`ALTER TABLE "${table}" DROP CONSTRAINT "UQ_${pair}"`)
    await runner.query(`ALTER TABLE "${table}" DROP CONSTRAINT "PK_${old}"`)
    await runner.query(`ALTER TABLE "${table}" ADD CONSTRAINT "PK_${pair}" PRIMARY KEY USING INDEX "PK_${pair}"`)
    await restore()
  })
}

async function restoreKey(runner: QueryRunner, table: string, old: string, pair: string): Promise<void> {
  if (await hasConstraint(runner, `PK_${old}`)) return
  await buildIndex(runner, `UQ_${pair}`, table, ['organizationId', 'id'], 'UNIQUE')
  await buildIndex(runner, `PK_${old}`, table, ['id'], 'UNIQUE')
  await inTransaction(runner, async () => {
    const restore = await dropForeignKeys(runner, `PK_${pair}`)
    await runner.query(`ALTER TABLE "${table}" DROP CONSTRAINT "PK_${pair}"`)
    await runner.query(`ALTER TABLE "${table}" ADD CONSTRAINT "PK_${old}" PRIMARY KEY USING INDEX "PK_${old}"`)
    await runner.query(`ALTER TABLE "${table}" ADD CONSTRAINT "UQ_${pair}" UNIQUE USING INDEX "UQ_${pair}"`)
    await restore()
  })
}

/** @returns how to add them again; their rows are checked later, by `validate` */
async function dropForeignKeys(runner: QueryRunner, key: string): Promise<() => Promise<void>> {
  const found: ForeignKey[] = await runner.query(
    `SELECT conrelid::regclass::text AS "table", conname AS "name", pg_get_constraintdef(oid) AS "definition"
      FROM pg_constraint WHERE contype = 'f' AND conindid = to_regclass($1)`,
    [`"${key}"`],
  )
  for (const { table, name } of found) await runner.query(`ALTER TABLE ${table} DROP CONSTRAINT "${name}"`)
  return async () => {
    for (const { table, name, definition } of found)
      await runner.query(
        `ALTER TABLE ${table} ADD CONSTRAINT "${name}" ${definition.replace(/ NOT VALID$/, '')} NOT VALID`,
      )
  }
}

const batchSize = 20_000

/**
 * Takes meetings that have ended out of the constraint: a write in the past searches for them. Only the planned
 * meetings are left to check under the lock.
 */
async function releaseEnded(runner: QueryRunner): Promise<void> {
  for (let changed = batchSize; changed === batchSize; )
    [, changed] = await runner.query(
      `UPDATE "meeting" SET "exclusive" = false WHERE "id" IN
        (SELECT "id" FROM "meeting" WHERE "exclusive" AND "dateTo" < now() LIMIT ${batchSize})`,
    )
}

/** Postgres cannot build an exclusion constraint concurrently: meetings cannot be read or written until it is checked. */
async function replaceOverlap(runner: QueryRunner, columns: string): Promise<void> {
  await inTransaction(runner, async () => {
    await runner.query(`ALTER TABLE "meeting" DROP CONSTRAINT IF EXISTS "meeting:overlap"`)
    await runner.query(`ALTER TABLE "meeting" ADD CONSTRAINT "meeting:overlap" ${overlap(columns)}`)
  })
}
