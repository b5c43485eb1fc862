SET timezone = 'UTC';
-- Whose IDs a table holds. This server is datacenter 1, machine 1.
CREATE TABLE mixed (id bigint, "Other ""Id""" bigint, small int);
INSERT INTO mixed SELECT snowflake_nextval() FROM generate_series(1, 1000);
INSERT INTO mixed SELECT snowflake_encode('2026-01-01 00:00:00+00', 2, 3, n) FROM generate_series(1, 10) AS n;
INSERT INTO mixed VALUES (NULL), (-7);
SELECT datacenter, machine, ids, ahead_of_clock, this_node, not_issued FROM snowflake_audit('mixed', 'id');
SELECT first_time, last_time FROM snowflake_audit('mixed', 'id') WHERE machine = 3;
-- IDs ahead of the clock; and of this node's identity that this node has not issued: somebody else uses it.
INSERT INTO mixed SELECT snowflake_encode(now() + interval '1 hour', 2, 3, 0);
INSERT INTO mixed SELECT snowflake_encode(now() + interval '1 hour', 1, 1, n) FROM generate_series(1, 3) AS n;
SELECT datacenter, machine, ids, ahead_of_clock, this_node, not_issued FROM snowflake_audit('mixed', 'id');
-- Views, partitioned tables, strange names; an empty column.
CREATE VIEW seen AS SELECT id FROM mixed WHERE id > 0;
SELECT ids FROM snowflake_audit('seen', 'id') WHERE this_node;
SELECT count(*) FROM snowflake_audit('mixed', 'Other "Id"');
SELECT snowflake_audit(NULL, 'id');
-- A table of any size is read once, and nothing of it is written to disk.
CREATE TABLE many AS SELECT snowflake_nextval_batch(100000) AS id;
ANALYZE many;
SET work_mem = '64kB';
SET temp_file_limit = 0;
SELECT ids, this_node, not_issued FROM snowflake_audit('many', 'id');
RESET work_mem;
RESET temp_file_limit;
DROP TABLE many;
-- A domain is what it is made of.
CREATE DOMAIN order_id AS bigint;
CREATE DOMAIN strict_order_id AS order_id CHECK (VALUE > 0);
CREATE TABLE of_domain AS SELECT snowflake_nextval()::strict_order_id AS id;
SELECT ids FROM snowflake_audit('of_domain', 'id');
DROP TABLE of_domain;
DROP DOMAIN strict_order_id, order_id;
-- Of temporary tables too, and in the middle of a transaction that has written.
CREATE TEMPORARY TABLE passing AS SELECT snowflake_nextval() AS id;
BEGIN;
ALTER TABLE passing RENAME COLUMN id TO key;
INSERT INTO passing VALUES (snowflake_nextval());
SELECT ids, not_issued FROM snowflake_audit('passing', 'key');
SELECT ids, not_issued FROM snowflake_audit(relation => 'passing', column_name => 'key');
COMMIT;
DROP TABLE passing;
-- In a plan with parallel workers it runs in the leader, in a transaction that has written, too.
CREATE TABLE wide AS SELECT n FROM generate_series(1, 10000) AS n;
ANALYZE wide;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
DO $$
DECLARE line text; plan text = '';
BEGIN
    FOR line IN EXPLAIN SELECT ids, (SELECT count(*) FROM wide) FROM snowflake_audit('mixed', 'id') LOOP
        plan := plan || line;
    END LOOP;
    ASSERT plan LIKE '%Gather%Workers Planned%', plan;
END $$;
SELECT ids, not_issued, (SELECT count(*) FROM wide) FROM snowflake_audit('mixed', 'id') WHERE this_node;
BEGIN;
INSERT INTO mixed SELECT snowflake_nextval();
SELECT ids, not_issued, (SELECT count(*) FROM wide) FROM snowflake_audit('mixed', 'id') WHERE this_node;
SELECT count(*), max(a.ids) FROM wide, LATERAL (SELECT ids FROM snowflake_audit('mixed', 'id') WHERE this_node AND n = n OFFSET 0) AS a WHERE n <= 3;
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO mixed SELECT snowflake_nextval();
SELECT ids, not_issued, (SELECT count(*) FROM wide) FROM snowflake_audit('mixed', 'id') WHERE this_node;
ROLLBACK;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
DROP TABLE wide;
-- A view's functions find what they find without an audit: it reads under the caller's search_path.
CREATE SCHEMA hostile;
CREATE TABLE hostile.limits AS SELECT 2 AS rows;
CREATE FUNCTION hostile.some_ids() RETURNS SETOF bigint LANGUAGE plpgsql STABLE AS $$
    BEGIN RETURN QUERY SELECT id FROM public.mixed WHERE snowflake_decode(id) IS NOT NULL AND id > 0 LIMIT (SELECT rows FROM limits); END $$;
CREATE VIEW hostile.some AS SELECT id FROM hostile.some_ids() AS id;
SELECT sum(ids) FROM snowflake_audit('hostile.some', 'id');
SET search_path = public, hostile;
SELECT sum(ids) FROM snowflake_audit('hostile.some', 'id');
-- But it takes nothing of there for a built-in of its own: not a type, a function, an operator, a relation.
SET search_path = pg_catalog, public, hostile;
CREATE FUNCTION hostile.trap() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE FUNCTION hostile.trap(bigint, bigint) RETURNS boolean LANGUAGE sql RETURN hostile.trap() > 0;
CREATE FUNCTION hostile.trap(bigint, int) RETURNS boolean LANGUAGE sql RETURN hostile.trap() > 0;
CREATE FUNCTION hostile.state(bigint) RETURNS bigint LANGUAGE sql RETURN hostile.trap();
CREATE FUNCTION hostile.state(bigint, bigint) RETURNS bigint LANGUAGE sql RETURN hostile.trap();
CREATE AGGREGATE hostile.count(*) (SFUNC = hostile.state, STYPE = bigint, INITCOND = 0);
CREATE AGGREGATE hostile.min(bigint) (SFUNC = hostile.state, STYPE = bigint, INITCOND = 0);
CREATE AGGREGATE hostile.max(bigint) (SFUNC = hostile.state, STYPE = bigint, INITCOND = 0);
CREATE OPERATOR hostile.>= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = hostile.trap);
CREATE OPERATOR hostile.>= (LEFTARG = bigint, RIGHTARG = int, FUNCTION = hostile.trap);
CREATE OPERATOR hostile.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = hostile.trap);
CREATE OPERATOR hostile.< (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = hostile.trap);
CREATE OPERATOR hostile.& (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = hostile.state);
CREATE FUNCTION hostile.shift(bigint, int) RETURNS bigint LANGUAGE sql RETURN hostile.trap();
CREATE OPERATOR hostile.>> (LEFTARG = bigint, RIGHTARG = int, FUNCTION = hostile.shift);
CREATE DOMAIN hostile.int8 AS bigint CHECK (VALUE < 0);
CREATE DOMAIN hostile.int4 AS int CHECK (VALUE < 0);
CREATE DOMAIN hostile.text AS pg_catalog.text CHECK (VALUE = '');
CREATE TABLE hostile.pg_class (oid bigint);
CREATE TABLE hostile.mixed (id bigint);
CREATE TABLE public.audited (id bigint);
INSERT INTO public.audited VALUES (snowflake_nextval());
SET search_path = hostile, pg_catalog, public;
SELECT ids, not_issued FROM public.snowflake_audit('public.mixed', 'id') WHERE this_node;
SELECT ids, not_issued FROM public.snowflake_audit('audited', 'id') WHERE this_node;
RESET search_path;
DROP TABLE audited;
-- Nor a table that hides a temporary one.
CREATE TEMPORARY TABLE hidden AS SELECT snowflake_nextval() AS id;
CREATE TABLE hostile.hidden AS SELECT 1 AS id;
SET search_path = hostile, public, pg_temp;
SELECT ids, not_issued FROM snowflake_audit('pg_temp.hidden', 'id');
RESET search_path;
DROP TABLE hidden;
DROP SCHEMA hostile CASCADE;
-- Refused.
\set VERBOSITY default
SELECT snowflake_audit('mixed', 'nothing');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_audit('mixed', 'small');
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE mixed DROP COLUMN "Other ""Id""";
SELECT snowflake_audit('mixed', '........pg.dropped.2........');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_audit('mixed', 'ctid');
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX mixed_id ON mixed (id);
SELECT snowflake_audit('mixed_id', 'id');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_audit(0, 'id');
\echo :LAST_ERROR_SQLSTATE
-- With the rights of who asks.
CREATE ROLE regress_snowflake_user;
SET ROLE regress_snowflake_user;
SELECT snowflake_audit('mixed', 'id');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
DROP ROLE regress_snowflake_user;
DROP TABLE mixed CASCADE;
