-- The functions and tables of Citus that `npm run distribute` uses, on one node. They record and check, and move no rows.
CREATE TABLE pg_dist_node (groupid integer);
CREATE TABLE pg_dist_object (classid oid, objid oid);
CREATE TABLE citus_tables (table_name regclass, citus_table_type text, distribution_column text, colocated_with text);

CREATE FUNCTION citus_set_coordinator_host(text, integer) RETURNS void LANGUAGE sql AS 'INSERT INTO pg_dist_node VALUES (0)';

CREATE FUNCTION create_distributed_function(text) RETURNS void LANGUAGE sql
  AS $$ INSERT INTO pg_dist_object VALUES ('pg_proc'::regclass, $1::regprocedure) $$;

-- Like Citus, it returns one row for each worker, and the error of a command as its result.
CREATE FUNCTION run_command_on_workers(command text, OUT success boolean, OUT result text) RETURNS SETOF record
  LANGUAGE plpgsql AS $$
  BEGIN
    BEGIN
      IF command LIKE 'SELECT%' THEN EXECUTE command INTO result; ELSE EXECUTE command; END IF;
      success := true;
    EXCEPTION WHEN OTHERS THEN
      success := false;
      result := SQLERRM;
    END;
    RETURN NEXT;
  END $$;

-- Citus moves tables along with the tables that they refer to, so none may refer to another one while its kind is set.
CREATE FUNCTION refuse_foreign_keys(regclass) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE "found" text := (SELECT string_agg(conname, ', ') FROM pg_constraint WHERE contype = 'f' AND $1 IN (conrelid, confrelid));
  BEGIN
    IF "found" IS NOT NULL THEN RAISE EXCEPTION '% has foreign keys: %', $1, "found"; END IF;
  END $$;

CREATE FUNCTION create_reference_table(regclass) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM refuse_foreign_keys($1);
    INSERT INTO citus_tables VALUES ($1, 'reference', NULL, NULL);
  END $$;

CREATE FUNCTION create_distributed_table(regclass, text, colocate_with text) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM refuse_foreign_keys($1);
    INSERT INTO citus_tables VALUES ($1, 'distributed', $2, colocate_with);
  END $$;
