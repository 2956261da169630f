import type { MigrationInterface, QueryRunner } from 'typeorm'

/** The tables that free text is looked for in, and in which of their columns. */
const searched: Record<string, string[]> = {
  location: ['name'],
  employee: ['name', 'email', 'jobTitle'],
  meeting: ['notes'],
  bank_transaction: ['party', 'text'],
}

/** Indexes of single columns, which those of "searchText" replace. */
const replaced = [
  ['location', 'name'],
  ['employee', 'name'],
  ['employee', 'jobTitle'],
  ['meeting', 'notes'],
  ['bank_transaction', 'party'],
  ['bank_transaction', 'text'],
]

/** Any ASCII character that is neither a letter, a digit nor white space. */
const mark = '!-/:-@[-`{-~'

/**
 * Each row keeps its texts folded: without case, accents and kinds of white space, so that words are found by plain LIKE.
 * One index of trigrams answers for words and for the beginnings of words. It begins with the organization, so that a word
 * which is common in one organization costs the others nothing. An extension is not needed to fold: "unaccent" is not
 * immutable, differs by version, and knows no decomposed letters.
 */
export class Search1764000000020 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE EXTENSION IF NOT EXISTS btree_gin')
    await runner.query(`CREATE FUNCTION "fold_text"(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT replace(replace(replace(
        CASE WHEN octet_length($1) = length($1) THEN lower($1 COLLATE "C") ELSE
          translate(replace(replace(replace(replace(
            lower(regexp_replace(normalize($1 COLLATE "C", NFKD), '[\\u0300-\\u036f]', '', 'g') COLLATE "und-x-icu") COLLATE "C",
            'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'), 'łøđðħŧıς', 'loddhtiσ')
        END, E'\\t', ' '), E'\\n', ' '), E'\\r', ' ') $$`)
    // A word may begin after a mark, as in "x@example.com": the part after the mark is there again, after a space.
    await runner.query(`CREATE FUNCTION "search_text"(VARIADIC "texts" text[]) RETURNS text
      LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
      DECLARE
        "folded" text COLLATE "C" := ' ' || "fold_text"(array_to_string("texts", ' '));
      BEGIN
        RETURN "folded" || coalesce((SELECT ' ' || string_agg("match"[1], ' ')
          FROM regexp_matches("folded", '[${mark}]([^${mark}[:space:]]+)', 'g') AS "match"), '');
      END $$`)
    for (const [table, columns] of Object.entries(searched)) {
      const texts = (row = '') => columns.map((column) => `${row}"${column}"`).join(', ')
      await runner.query(`ALTER TABLE "${table}" ADD "searchText" text`)
      // A change of type rewrites the table once, with its indexes; an UPDATE would leave every row there twice.
      await runner.query(`ALTER TABLE "${table}" ALTER "searchText" TYPE text USING "search_text"(${texts()})`)
      await runner.query(`ALTER TABLE "${table}" ALTER "searchText" SET NOT NULL`)
      await runner.query(`CREATE FUNCTION "fold_${table}"() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'INSERT' OR (${texts('NEW.')}) IS DISTINCT FROM (${texts('OLD.')}) THEN
            NEW."searchText" := "search_text"(${texts('NEW.')});
          END IF;
          RETURN NEW;
        END $$`)
      await runner.query(`CREATE TRIGGER "folded" BEFORE INSERT OR UPDATE ON "${table}"
        FOR EACH ROW EXECUTE FUNCTION "fold_${table}"()`)
    }
    for (const [table, column] of replaced) await runner.query(`DROP INDEX "${table}.${column}"`)
    await runner.query(
      `CREATE INDEX "IDX_eba552d17e4af65ec6dfc6c5dc" ON "bank_transaction" ("organizationId", "currency", "id")`,
    )
    await runner.query('DROP INDEX "IDX_2b778fde3afc04ec59f83e29fa"')
    await runner.query(
      `CREATE INDEX "IDX_b93d1c3cd751d1d37f8c572548" ON "audit_event" ("organizationId", "actorId", "id")`,
    )
    for (const table of Object.keys(searched))
      await runner.query(
        `CREATE INDEX "${table}.searchText" ON "${table}" USING gin ("organizationId", "searchText" gin_trgm_ops)`,
      )
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [table, column] of replaced)
      await runner.query(`CREATE INDEX "${table}.${column}" ON "${table}" USING gin ("${column}" gin_trgm_ops)`)
    await runner.query('DROP INDEX "IDX_b93d1c3cd751d1d37f8c572548"')
    await runner.query('CREATE INDEX "IDX_2b778fde3afc04ec59f83e29fa" ON "audit_event" ("actorId")')
    await runner.query('DROP INDEX "IDX_eba552d17e4af65ec6dfc6c5dc"')
    for (const table of Object.keys(searched)) {
      await runner.query(`DROP TRIGGER "folded" ON "${table}"`)
      await runner.query(`DROP FUNCTION "fold_${table}"`)
      await runner.query(`ALTER TABLE "${table}" DROP COLUMN "searchText"`)
    }
    await runner.query('DROP FUNCTION "search_text"')
    await runner.query('DROP FUNCTION "fold_text"')
  }
}
