import type { DataSource } from 'typeorm'

/** The parts of a schema. Those of extensions are left out, because a database may have had them before the first migration. */
const parts = [
  `SELECT 'table ' || oid::regclass AS "name", concat_ws(' ', relkind, relreplident, reloptions, relrowsecurity,
      obj_description(oid, 'pg_class')) AS "definition"
    FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND relnamespace = 'public'::regnamespace`,
  `SELECT 'column ' || attrelid::regclass || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod),
      attcollation::regcollation, attnotnull, pg_get_expr(adbin, adrelid), attidentity, attgenerated)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm', 'S') AND relnamespace = 'public'::regnamespace`,
  `SELECT 'index ' || indexrelid::regclass, concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid)
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = 'public'::regnamespace`,
  `SELECT 'constraint ' || conrelid::regclass || '.' || conname, concat_ws(' ', pg_get_constraintdef(oid), convalidated)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0`,
  `SELECT 'trigger ' || tgrelid::regclass || '.' || tgname, concat_ws(' ', pg_get_triggerdef(pg_trigger.oid), tgenabled)
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace`,
  `SELECT 'function ' || oid::regprocedure, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')`,
  `SELECT 'collation ' || collname, concat_ws(' ', collprovider, collisdeterministic)
    FROM pg_collation WHERE collnamespace = 'public'::regnamespace`,
]

/** The definition of each part by its name, without white space. */
export async function schemaOf(source: DataSource): Promise<Record<string, string>> {
  const found: { name: string; definition: string }[] = await source.query(parts.join(' UNION ALL '))
  return Object.fromEntries(found.map(({ name, definition }) => [name, definition.replaceAll(/\s/g, '')]))
}
