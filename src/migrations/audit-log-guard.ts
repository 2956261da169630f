const refusal = `RAISE EXCEPTION 'The audit log is only ever added to.';`

/** The function of the triggers on the audit log: it refuses each change. */
export const refuseChanges = `CREATE OR REPLACE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN ${refusal} END $$`

/** The same, but a transaction may delete the events of the one organization that it names. */
export const allowDeletions = `CREATE OR REPLACE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF TG_OP = 'DELETE' THEN
      IF OLD."organizationId"::text = current_setting('app.deleted_organization', true) THEN RETURN OLD; END IF;
    END IF;
    ${refusal}
  END $$`
