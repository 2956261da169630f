const refusal = `RAISE EXCEPTION 'The audit log is only ever added to.';`

/** The function of the triggers on the audit log: it refuses each change. */
export const refuseChanges = `CREATE OR REPLACE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN ${refusal} END $$`

const deletion = `IF TG_OP = 'DELETE' THEN
      IF OLD."organizationId"::text = current_setting('app.deleted_organization', true) THEN RETURN OLD; END IF;
    END IF;`

/** The same, but a transaction may delete the events of the one organization that it names. */
export const allowDeletions = `CREATE OR REPLACE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    ${deletion}
    ${refusal}
  END $$`

/** SQL: a value before and one after it, with `[erased]` in place of each that is not null. */
export const erasedValues = (
  values: string,
) => `(SELECT coalesce(jsonb_agg(CASE "item" WHEN 'null' THEN "item" ELSE '"[erased]"' END ORDER BY "at"), '[]')
    FROM jsonb_array_elements(${values}) WITH ORDINALITY AS "items"("item", "at"))`

/** Whether an update of "changes" erases values, and neither adds, removes nor changes anything else. It reads its arguments alone. */
export const erasesOnly = `CREATE FUNCTION "erases_only"("before" jsonb, "after" jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT ARRAY(SELECT jsonb_object_keys("before")) = ARRAY(SELECT jsonb_object_keys("after"))
    AND NOT EXISTS (SELECT FROM jsonb_each("before") "was" JOIN jsonb_each("after") "is" USING ("key")
      WHERE "is"."value" NOT IN ("was"."value", ${erasedValues('"was"."value"')})) $$`

/** The same, and a transaction may erase values in the events of the one target that it names. */
export const allowErasures = `CREATE OR REPLACE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    ${deletion}
    IF TG_OP = 'UPDATE' THEN
      IF OLD."target" = current_setting('app.erased_person', true)
        AND to_jsonb(NEW) - 'changes' = to_jsonb(OLD) - 'changes'
        AND "erases_only"(OLD."changes", NEW."changes") THEN RETURN NEW; END IF;
    END IF;
    ${refusal}
  END $$`
