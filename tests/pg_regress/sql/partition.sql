-- Partitions by the time of the ID: the ID alone is the primary key.
SET timezone = 'UTC';
CREATE TABLE logs (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), note text) PARTITION BY RANGE (id);
SELECT snowflake_create_partition('logs', '2026-01-01', '2026-02-01');
SELECT snowflake_create_partition('logs', '2026-02-01', '2026-02-01 12:00');
SELECT snowflake_create_partition('logs', '2026-02-01 12:00', '2026-02-01 12:00:00.5');
SELECT snowflake_create_partition('logs', '2026-02-01 12:00:00.5', '2026-03-01');
SELECT snowflake_create_partition('logs', from_time => '2026-03-01', to_time => '2026-04-01', name => 'March "26"');
-- Exact bounds.
CREATE VIEW bounds AS
    SELECT i.inhparent::regclass AS parent, c.relname AS name, bound[1] AS first, bound[2] AS end
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid,
        regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM .''?(MINVALUE|[0-9]+).*TO .''?(MAXVALUE|[0-9]+)') AS bound;
SELECT name, first, "end" FROM bounds WHERE parent = 'logs'::regclass ORDER BY first;
INSERT INTO logs VALUES (snowflake_encode('2026-01-31 23:59:59.999', 31, 31, 4095)),
    (snowflake_encode('2026-02-01', 0, 0, 0));
SELECT tableoid::regclass, snowflake_timestamp(id) FROM logs ORDER BY id;
-- Bounds that are there already, whatever the name, and a gap to the next neighbour.
\set VERBOSITY default
SET client_min_messages = 'notice';
SELECT snowflake_create_partition('logs', '2026-03-01', '2026-04-01');
SELECT snowflake_create_partition('logs', '2026-03-01', '2026-04-01', 'another_name');
SET timezone = 'Europe/Berlin';
SELECT snowflake_create_partition('logs', '2026-05-01', '2026-06-01');
SET timezone = 'UTC';
SELECT snowflake_create_partition('logs', '2026-04-01', '2026-04-30');
SELECT snowflake_create_partition('logs', '2026-06-01', '2026-07-01');
RESET client_min_messages;
\set VERBOSITY terse
-- The name follows the session's time zone, by which one hour comes twice when clocks are set back.
SET timezone = 'Asia/Tokyo';
SELECT snowflake_create_partition('logs', '2026-08-01', '2026-09-01');
SET timezone = 'Europe/Berlin';
SELECT snowflake_create_partition('logs', hour, hour + interval '1 hour')
FROM generate_series(timestamptz '2026-10-25 00:00+00', '2026-10-25 03:00+00', '1 hour') AS hour;
SET timezone = 'America/Havana';
SELECT snowflake_create_partition('logs', '2026-11-01 04:00+00', '2026-11-01 05:00+00');
SELECT snowflake_create_partition('logs', '2026-11-01 05:00+00', '2026-11-01 06:00+00');
SET timezone = 'UTC';
-- A name that is taken gets a number.
CREATE TABLE logs_p20261201 (note text);
CREATE TYPE logs_p20261201_2 AS ENUM ();
SELECT snowflake_create_partition('logs', '2026-12-01', '2027-01-01');
DROP TABLE logs_p20261201;
DROP TYPE logs_p20261201_2;
-- No role can have taken all of them.
SELECT format('CREATE TYPE logs_p20270101%s AS ENUM ()', number) FROM unnest(array[''] || array(SELECT '_' || n FROM generate_series(2, 10) AS n)) AS number \gexec
SELECT snowflake_create_partition('logs', '2027-01-01', '2027-02-01')::text ~ '^logs_p20270101_\d{3,}$' AS is_random;
SELECT format('DROP TYPE %I', typname) FROM pg_type WHERE typname ~ '^logs_p20270101' AND typtype = 'e' \gexec
-- It is cut where it would be too long, in whole characters, and does not equal that of a table whose name begins alike.
CREATE TABLE a_name_of_sixty_three_bytes_which_is_the_most_that_there_can_be (id bigint) PARTITION BY RANGE (id);
CREATE TABLE a_name_of_sixty_three_bytes_which_is_the_most_that_there_can_b2 (id bigint) PARTITION BY RANGE (id);
CREATE TABLE ääääääääääääääääääääääääääääää (id bigint) PARTITION BY RANGE (id);
SELECT snowflake_create_partition('a_name_of_sixty_three_bytes_which_is_the_most_that_there_can_be', '2026-01-01', '2027-01-01');
SELECT snowflake_create_partition('a_name_of_sixty_three_bytes_which_is_the_most_that_there_can_b2', '2026-01-01', '2027-01-01');
SELECT snowflake_create_partition('ääääääääääääääääääääääääääääää', '2026-01-01', '2027-01-01');
DROP TABLE a_name_of_sixty_three_bytes_which_is_the_most_that_there_can_be,
    a_name_of_sixty_three_bytes_which_is_the_most_that_there_can_b2, ääääääääääääääääääääääääääääää;
-- Next to its parent, whatever the search_path.
CREATE SCHEMA "Other";
CREATE TABLE "Other"."Logs" (id bigint) PARTITION BY RANGE (id);
SELECT snowflake_create_partition('"Other"."Logs"', '2026-01-01', '2026-02-01');
SELECT snowflake_create_partition('"Other"."Logs"', '2026-02-01', '2026-03-01', repeat('n', 63));
DROP SCHEMA "Other" CASCADE;

-- All that CREATE TABLE ... PARTITION OF gives a partition: the two differ in nothing.
CREATE TABLE owners (id bigint PRIMARY KEY);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE DOMAIN key AS bigint CHECK (VALUE > 0);
CREATE TABLE whole (
    dropped int, id key PRIMARY KEY DEFAULT snowflake_nextval(), note text COLLATE "C" NOT NULL DEFAULT 'none',
    doubled bigint GENERATED ALWAYS AS (length(note) * 2) STORED, wide text, owner bigint REFERENCES owners,
    parent bigint, CONSTRAINT short CHECK (length(note) < 100), CHECK (doubled >= 0)
) PARTITION BY RANGE (id);
ALTER TABLE whole DROP COLUMN dropped;
ALTER TABLE whole ALTER wide SET STORAGE EXTERNAL, ALTER note SET COMPRESSION pglz;
ALTER TABLE whole ADD CONSTRAINT later CHECK (length(wide) < 1000) NOT VALID;
CREATE UNIQUE INDEX whole_owner ON whole (owner, id) INCLUDE (note);
CREATE INDEX whole_lower ON whole (lower(note)) WHERE note <> '';
CREATE TRIGGER touch BEFORE UPDATE ON whole FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TABLE parts (of key REFERENCES whole ON DELETE CASCADE);
SELECT snowflake_create_partition('whole', '2026-01-01', '2026-02-01', 'attached');
SELECT format('CREATE TABLE created PARTITION OF whole FOR VALUES FROM (%s) TO (%s)',
    snowflake_from_timestamp('2026-02-01'), snowflake_from_timestamp('2026-03-01')) \gexec
CREATE FUNCTION about(rel regclass) RETURNS SETOF text LANGUAGE sql SET search_path = pg_catalog AS $$
    SELECT replace(line, (SELECT relname FROM pg_class WHERE oid = rel), 'PARTITION') FROM (
        SELECT format('class %s %s %s %s %s %s %s', relkind, relpersistence, relam, reltablespace, relhastriggers,
            relreplident, relispartition) FROM pg_class WHERE oid = rel
        UNION ALL
        SELECT format('column %s %s %s %s %s %s %s %s %s %s %s %s', attname, format_type(atttypid, atttypmod), attnotnull, attcollation,
            attstorage, attcompression, attidentity, attgenerated, attislocal, attinhcount, attstattarget, pg_get_expr(adbin, adrelid))
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = rel AND attnum > 0
        UNION ALL
        SELECT format('constraint %s %s %s %s %s', conname, pg_get_constraintdef(oid), conislocal, coninhcount, convalidated)
        FROM pg_constraint WHERE conrelid = rel AND contype <> 'n'
        UNION ALL
        SELECT format('referenced by %s %s', conrelid::regclass, conparentid <> 0) FROM pg_constraint WHERE confrelid = rel
        UNION ALL
        SELECT format('index %s %s', regexp_replace(pg_get_indexdef(indexrelid), '.* ON ', ''), indisprimary) FROM pg_index WHERE indrelid = rel
        UNION ALL
        SELECT format('trigger %s %s', tgfoid::regproc, tgtype) FROM pg_trigger WHERE tgrelid = rel
    ) AS it (line)
$$;
SELECT * FROM about('attached') EXCEPT ALL SELECT * FROM about('created');
SELECT * FROM about('created') EXCEPT ALL SELECT * FROM about('attached');
SELECT count(*) > 20 AS compared FROM about('attached');
INSERT INTO owners VALUES (1);
INSERT INTO whole (id, note, owner) VALUES (snowflake_from_timestamp('2026-01-10'), 'ok', 1) RETURNING doubled, tableoid::regclass;
INSERT INTO whole (id, owner) VALUES (snowflake_from_timestamp('2026-01-11'), 2);
DROP TABLE parts, whole, owners;
DROP DOMAIN key;
DROP FUNCTION touch();
-- A parent that is a partition, and one that is temporary.
CREATE TABLE tenants (tenant int, id bigint) PARTITION BY LIST (tenant);
CREATE TABLE tenant_1 PARTITION OF tenants FOR VALUES IN (1) PARTITION BY RANGE (id);
SELECT snowflake_create_partition('tenant_1', '2026-01-01', '2026-02-01');
INSERT INTO tenants VALUES (1, snowflake_from_timestamp('2026-01-10')) RETURNING tableoid::regclass;
DROP TABLE tenants;
CREATE TEMPORARY TABLE passing (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
SELECT snowflake_create_partition('passing', '2026-01-01', '2026-02-01');
SELECT relpersistence FROM pg_class WHERE relname = 'passing_p20260101';
DROP TABLE passing;

-- Owner, row security and replica identity are the parent's.
CREATE ROLE regress_snowflake_owner;
CREATE ROLE regress_snowflake_user;
CREATE SCHEMA theirs;
CREATE TABLE theirs.logs (id bigint PRIMARY KEY, note text NOT NULL) PARTITION BY RANGE (id);
CREATE UNIQUE INDEX logs_note ON theirs.logs (note, id);
ALTER TABLE theirs.logs OWNER TO regress_snowflake_owner;
CREATE VIEW belongs AS
    SELECT c.relname, c.relowner::regrole, c.relrowsecurity, c.relforcerowsecurity, c.relreplident,
        (SELECT indexrelid::regclass FROM pg_index WHERE indrelid = c.oid AND indisreplident) AS by_index
    FROM pg_class AS c WHERE c.relnamespace = 'theirs'::regnamespace AND c.relispartition AND c.relkind = 'r';
-- The owner may not even create tables there: a superuser may.
GRANT USAGE ON SCHEMA theirs TO regress_snowflake_owner;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO regress_snowflake_user, PUBLIC;
SELECT snowflake_create_partition('theirs.logs', '2026-01-01', '2026-02-01');
SELECT DISTINCT grantor::regrole, grantee::regrole FROM pg_class, aclexplode(relacl) WHERE relname = 'logs_p20260101';
ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM regress_snowflake_user, PUBLIC;
ALTER TABLE theirs.logs ENABLE ROW LEVEL SECURITY, REPLICA IDENTITY FULL;
SELECT snowflake_create_partition('theirs.logs', '2026-02-01', '2026-03-01');
ALTER TABLE theirs.logs FORCE ROW LEVEL SECURITY, REPLICA IDENTITY NOTHING;
SELECT snowflake_create_partition('theirs.logs', '2026-03-01', '2026-04-01');
ALTER TABLE theirs.logs DISABLE ROW LEVEL SECURITY;
ALTER TABLE theirs.logs REPLICA IDENTITY USING INDEX logs_note;
SELECT snowflake_create_partition('theirs.logs', '2026-04-01', '2026-05-01');
SELECT * FROM belongs ORDER BY relname;
-- It lends no rights: neither to who does not own the table, nor to the owner.
SET ROLE regress_snowflake_user;
SELECT snowflake_create_partition('theirs.logs'::regclass, '2026-07-01', '2026-08-01');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partition('logs', '2026-01-01', '2026-02-01');
SELECT snowflake_create_partitions('logs', '1 month', 1);
SET ROLE regress_snowflake_owner;
SELECT snowflake_create_partition('theirs.logs', '2026-07-01', '2026-08-01');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
-- A member of the owner does what the owner may, as the owner.
GRANT CREATE ON SCHEMA theirs TO regress_snowflake_owner;
GRANT regress_snowflake_owner TO regress_snowflake_user;
SET ROLE regress_snowflake_user;
SELECT snowflake_create_partition('theirs.logs', '2026-07-01', '2026-08-01');
SELECT current_user;
RESET ROLE;
SELECT relowner FROM belongs WHERE relname = 'logs_p20260701';
DROP VIEW belongs;
DROP SCHEMA theirs CASCADE;
DROP ROLE regress_snowflake_owner, regress_snowflake_user;

-- A default partition that is a foreign table is asked for its rows, too, which ATTACH PARTITION does not do. This one
-- cannot answer.
CREATE FOREIGN DATA WRAPPER regress_snowflake_nothing;
CREATE SERVER regress_snowflake_nowhere FOREIGN DATA WRAPPER regress_snowflake_nothing;
CREATE TABLE f (id bigint) PARTITION BY RANGE (id);
CREATE FOREIGN TABLE f_rest PARTITION OF f DEFAULT SERVER regress_snowflake_nowhere;
SELECT snowflake_create_partition('f', '2026-01-01', '2026-02-01');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE f;
SET client_min_messages = warning;
DROP FOREIGN DATA WRAPPER regress_snowflake_nothing CASCADE;
RESET client_min_messages;
-- The default partition: it is in the way if it has rows of that time.
\set VERBOSITY default
CREATE TABLE d (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE "d Rest" PARTITION OF d DEFAULT;
INSERT INTO d VALUES (snowflake_from_timestamp('2026-01-10')), (snowflake_from_timestamp('2026-01-31 23:59:59.999')),
    (snowflake_from_timestamp('2026-02-01'));
SELECT snowflake_create_partition('d', '2026-01-01', '2026-02-01');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partition('d', '2026-02-01', '2026-03-01');
SELECT snowflake_create_partition('d', '2026-03-01', '2026-04-01');
SET client_min_messages = 'notice';
SELECT snowflake_create_partition('d', '2026-05-01', '2026-06-01');
RESET client_min_messages;
-- The way out.
BEGIN;
ALTER TABLE d DETACH PARTITION "d Rest";
SELECT snowflake_create_partition('d', '2026-01-01', '2026-02-01');
WITH moved AS (DELETE FROM "d Rest" WHERE snowflake_between(id, '2026-01-01', '2026-02-01') RETURNING *)
INSERT INTO d SELECT * FROM moved;
ALTER TABLE d ATTACH PARTITION "d Rest" DEFAULT;
COMMIT;
SELECT tableoid::regclass, count(*) FROM d GROUP BY 1 ORDER BY 1;
DROP TABLE d;

-- Refused.
SELECT snowflake_create_partition('logs', '2026-01-15', '2026-01-16');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partition('logs', '2026-07-01', '2026-06-01');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partition('logs', '2026-07-01', '2026-07-01 00:00:00.0009');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partition('logs', '2020-01-01', '2027-01-01');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partition('logs', '2026-07-01', 'infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partition(NULL, '2026-07-01', '2027-01-01');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partition('logs', NULL, '2027-01-01');
SELECT snowflake_create_partition('logs', '2027-01-01', NULL);
SELECT snowflake_create_partition('logs', '2026-07-01', '2026-08-01', 'logs_p20260101');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partition('logs', '2026-07-01', '2026-08-01', '');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partition('logs', '2026-07-01', '2026-08-01', repeat('ä', 32));
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partition('pg_class', '2026-07-01', '2026-08-01');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partition(0, '2026-07-01', '2026-08-01');
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE by_hash (id bigint) PARTITION BY HASH (id);
SELECT snowflake_create_partition('by_hash', '2026-07-01', '2026-08-01');
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE by_two (id bigint, a int) PARTITION BY RANGE (id, a);
SELECT snowflake_create_partition('by_two', '2026-07-01', '2026-08-01');
CREATE TABLE by_time (id timestamptz) PARTITION BY RANGE (id);
SELECT snowflake_create_partition('by_time', '2026-07-01', '2026-08-01');
CREATE TABLE by_expression (id bigint) PARTITION BY RANGE ((id + 1));
SELECT snowflake_create_partition('by_expression', '2026-07-01', '2026-08-01');
DROP TABLE by_hash, by_two, by_time, by_expression;
BEGIN READ ONLY;
SELECT snowflake_create_partition('logs', '2026-07-01', '2026-08-01');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN READ ONLY;
SELECT snowflake_create_partitions('logs', '1 month', 1);
ROLLBACK;
DROP TABLE logs;

-- One call for a job: the present month and those ahead, once.
\set VERBOSITY terse
CREATE TABLE months (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
SELECT count(*) FROM snowflake_create_partitions('months', '1 month', 3);
SELECT count(*) FROM snowflake_create_partitions('months', '1 month', 3);
SELECT count(*) FROM snowflake_create_partitions('months', every => '1 month', ahead => 11, time_zone => 'UTC');
CREATE FUNCTION state_of(rel regclass, part text)
    RETURNS TABLE (partitions bigint, gaps bigint, aligned boolean, begins_before_now boolean, named boolean)
    LANGUAGE sql AS $$
    SELECT count(*), count(*) FILTER (WHERE next <> b."end"),
        bool_and(snowflake_timestamp(b.first::bigint) = date_trunc(part, snowflake_timestamp(b.first::bigint))),
        snowflake_timestamp(min(b.first::bigint)) <= now(),
        bool_and(name = rel || to_char(snowflake_timestamp(b.first::bigint), '"_p"YYYYMMDD'))
    FROM (SELECT *, lead(first) OVER (ORDER BY first::bigint) AS next FROM bounds WHERE parent = rel) AS b
$$;
SELECT * FROM state_of('months', 'month');
-- Quarters begin with January, weeks with Monday; what is there already is left, and gone on from.
CREATE TABLE quarters (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
SELECT count(*) FROM snowflake_create_partitions('quarters', '3 months', 3);
SELECT * FROM state_of('quarters', 'quarter');
CREATE TABLE weeks (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
SELECT count(*) FROM snowflake_create_partitions('weeks', '1 week', 2);
SELECT * FROM state_of('weeks', 'week');
SELECT count(*) >= 2 AS created FROM snowflake_create_partitions('weeks', '1 month', 2);
SELECT partitions >= 5 AS enough, gaps, aligned FROM state_of('weeks', 'day');
SELECT count(*) FROM snowflake_create_partitions('weeks', '1 month', 2);
CREATE TABLE hours (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
SELECT count(*) FROM snowflake_create_partitions('hours', '6 hours', 0, 'Asia/Kolkata');
SET timezone = 'Asia/Kolkata';
SELECT gaps, aligned, extract(hour FROM snowflake_timestamp(first::bigint)) % 6 AS hour FROM state_of('hours', 'hour'), bounds WHERE parent = 'hours'::regclass;
SET timezone = 'UTC';
-- A gap in what is ahead is filled, and so is what was missed.
CREATE TABLE gaps (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
SELECT snowflake_create_partition('gaps', month - interval '3 months', month - interval '2 months', 'before') IS NOT NULL AS created,
    snowflake_create_partition('gaps', month + interval '40 days', month + interval '50 days', 'between') IS NOT NULL AS created
FROM date_trunc('month', now()) AS month;
SELECT count(*) FROM snowflake_create_partitions('gaps', '1 month', 2);
SELECT partitions, gaps FROM state_of('gaps', 'month');
-- Nothing is to be done where partitions end later.
CREATE TABLE later (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
SELECT snowflake_create_partition('later', '2026-01-01', '2090-01-01');
SELECT count(*) FROM snowflake_create_partitions('later', '1 hour', 10);
-- A default partition is no obstacle without rows, one to MAXVALUE is. Adopted keys may be in one from MINVALUE.
CREATE TABLE rest (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE rest_default PARTITION OF rest DEFAULT;
SELECT count(*) FROM snowflake_create_partitions('rest', '1 month', 1);
CREATE TABLE ends (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE ends_last PARTITION OF ends FOR VALUES FROM (1000) TO (MAXVALUE);
\set VERBOSITY default
SELECT snowflake_create_partitions('ends', '1 month', 1);
\echo :LAST_ERROR_SQLSTATE
DROP TABLE ends_last;
CREATE TABLE ends_old PARTITION OF ends FOR VALUES FROM (MINVALUE) TO (1000);
SELECT count(*) > 30 AS created FROM snowflake_create_partitions('ends', '1 month', 1);
SELECT first FROM bounds WHERE parent = 'ends'::regclass AND name = 'ends_p20240101';
DROP TABLE ends;
-- Refused.
CREATE TABLE old (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
SELECT snowflake_create_partition('old', '2024-01-01', '2024-02-01');
SELECT snowflake_create_partitions('months', '0', 1);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partitions('months', '-1 month', 1);
SELECT snowflake_create_partitions('months', '1 month 1 day', 1);
SELECT snowflake_create_partitions('months', '1 month -1 day', 1);
SELECT snowflake_create_partitions('months', '90 minutes', 1);
SELECT snowflake_create_partitions('months', '5 hours', 1);
SELECT snowflake_create_partitions('months', '24 hours', 1);
SELECT snowflake_create_partitions('months', '1 microsecond', 1);
SELECT snowflake_create_partitions('months', '200 years', 1);
SELECT snowflake_create_partitions('months', '1 month', -1);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partitions('months', '1 month', 367);
SELECT snowflake_create_partitions('months', '1 year', 366);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partitions('months', '1 month', 1, 'Mars/Olympus');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_create_partitions('months', '1 month', 1, '');
SELECT snowflake_create_partitions('months', '1 month', 1, repeat('x', 256));
SELECT snowflake_create_partitions(NULL, '1 month', 1);
SELECT snowflake_create_partitions('months', NULL, 1);
SELECT snowflake_create_partitions('months', '1 month', NULL);
SELECT snowflake_create_partitions('months', '1 month', 1, NULL);
SELECT snowflake_create_partitions('bounds', '1 month', 1);
SELECT snowflake_create_partitions(0, '1 month', 1);
\set VERBOSITY sqlstate
SELECT snowflake_create_partitions('old', '1 hour', 1);
SHOW timezone;
DROP FUNCTION state_of(regclass, text);
DROP FUNCTION about(regclass);
DROP VIEW bounds;
DROP TABLE months, quarters, weeks, hours, gaps, later, rest, old;
