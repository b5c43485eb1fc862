SET timezone = 'UTC';
-- Whose IDs a table holds. This server is datacenter 1, machine 1.
CREATE TABLE mixed (id bigint, "Other ""Id""" bigint, small int);
INSERT INTO mixed SELECT snowflake_nextval() FROM generate_series(1, 1000);
INSERT INTO mixed SELECT snowflake_encode('2026-01-01 00:00:00+00', 2, 3, n) FROM generate_series(1, 10) AS n;
INSERT INTO mixed VALUES (NULL), (-7);
SELECT datacenter, machine, ids, ahead_of_clock, this_node, beyond_mark FROM snowflake_audit('mixed', 'id');
SELECT first_time, last_time FROM snowflake_audit('mixed', 'id') WHERE machine = 3;
-- IDs ahead of the clock; and of this node's identity that this node has not issued: somebody else uses it.
INSERT INTO mixed SELECT snowflake_encode(now() + interval '1 hour', 2, 3, 0);
INSERT INTO mixed SELECT snowflake_encode(now() + interval '1 hour', 1, 1, n) FROM generate_series(1, 3) AS n;
SELECT datacenter, machine, ids, ahead_of_clock, this_node, beyond_mark FROM snowflake_audit('mixed', 'id');
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
SELECT ids, this_node, beyond_mark FROM snowflake_audit('many', 'id');
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
