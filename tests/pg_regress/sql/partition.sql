-- Partitions by the time of the ID: the ID alone is the primary key.
SET timezone = 'UTC';
CREATE TABLE logs (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), note text) PARTITION BY RANGE (id);
SELECT snowflake_partition('logs', '2026-01-01', '2026-02-01');
SELECT snowflake_partition('logs', '2026-02-01', '2026-02-01 12:00');
SELECT snowflake_partition('logs', '2026-02-01 12:00', '2026-02-01 12:00:00.5');
SELECT snowflake_partition('logs', '2026-02-01 12:00:00.5', '2026-03-01');
SELECT snowflake_partition('logs', '2026-03-01', '2026-04-01', name => 'March "26"');
-- Exact bounds.
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) AS bound
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = 'logs'::regclass ORDER BY pg_get_expr(c.relpartbound, c.oid);
INSERT INTO logs VALUES (snowflake_encode('2026-01-31 23:59:59.999', 31, 31, 4095)),
    (snowflake_encode('2026-02-01', 0, 0, 0));
SELECT tableoid::regclass, snowflake_timestamp(id) FROM logs ORDER BY id;
-- The name follows the session's time zone, and is cut where it would be too long.
SET timezone = 'Asia/Tokyo';
SELECT snowflake_partition('logs', '2026-05-01', '2026-06-01');
SET timezone = 'UTC';
CREATE TABLE a_name_of_sixty_three_bytes_which_is_the_most_that_there_can_be_ (id bigint) PARTITION BY RANGE (id);
SELECT snowflake_partition('a_name_of_sixty_three_bytes_which_is_the_most_that_there_can_be_', '2026-01-01', '2027-01-01');
DROP TABLE a_name_of_sixty_three_bytes_which_is_the_most_that_there_can_be_;
-- Next to its parent, whatever the search_path.
CREATE SCHEMA "Other";
CREATE TABLE "Other"."Logs" (id bigint) PARTITION BY RANGE (id);
SELECT snowflake_partition('"Other"."Logs"', '2026-01-01', '2026-02-01');
SET client_min_messages = 'error';
DROP SCHEMA "Other" CASCADE;
RESET client_min_messages;
-- Refused.
\set VERBOSITY default
SELECT snowflake_partition('logs', '2026-01-15', '2026-01-16');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_partition('logs', '2026-04-01', '2026-03-01');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_partition('logs', '2026-04-01', '2026-04-01 00:00:00.0009');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_partition('logs', '2020-01-01', '2027-01-01');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_partition('logs', '2026-07-01', 'infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_partition('logs', NULL, '2027-01-01');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_partition('logs', '2026-07-01', '2026-08-01', 'logs_p20260101');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_partition('logs', '2026-07-01', '2026-08-01', '');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_partition('pg_class', '2026-07-01', '2026-08-01');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_partition(0, '2026-07-01', '2026-08-01');
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE by_hash (id bigint) PARTITION BY HASH (id);
SELECT snowflake_partition('by_hash', '2026-07-01', '2026-08-01');
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE by_two (id bigint, a int) PARTITION BY RANGE (id, a);
SELECT snowflake_partition('by_two', '2026-07-01', '2026-08-01');
CREATE TABLE by_time (id timestamptz) PARTITION BY RANGE (id);
SELECT snowflake_partition('by_time', '2026-07-01', '2026-08-01');
CREATE TABLE by_expression (id bigint) PARTITION BY RANGE ((id + 1));
SELECT snowflake_partition('by_expression', '2026-07-01', '2026-08-01');
DROP TABLE by_hash, by_two, by_time, by_expression;
-- It lends no rights.
CREATE ROLE regress_snowflake_user;
SET ROLE regress_snowflake_user;
SELECT snowflake_partition('logs', '2026-07-01', '2026-08-01');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
DROP ROLE regress_snowflake_user;
DROP TABLE logs;
