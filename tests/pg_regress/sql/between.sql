-- A window of time as a range of IDs: inlined, so that the planner sees the column.
SET timezone = 'UTC';
CREATE TABLE events (id bigint PRIMARY KEY, note text);
INSERT INTO events
SELECT snowflake_encode(timestamptz '2026-01-01 00:00:00+00' + n * interval '1 minute', 1, 1, 0), 'x'
FROM generate_series(0, 60 * 24 * 30) AS n;
ANALYZE events;
-- Half open.
SELECT count(*) FROM events WHERE snowflake_between(id, '2026-01-02 00:00:00+00', '2026-01-02 01:00:00+00');
SELECT count(*) FROM events WHERE snowflake_between(id, '2026-01-02 00:00:00+00', '2026-01-02 00:00:00+00');
-- An index range scan on a plain primary key, for constants and for what is known at run time.
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF)
SELECT * FROM events WHERE snowflake_between(id, '2026-01-02 00:00:00+00', '2026-01-02 01:00:00+00');
EXPLAIN (COSTS OFF)
SELECT * FROM events WHERE snowflake_between(id, now() - interval '1 hour', now());
-- The same plan as the hand-written condition.
EXPLAIN (COSTS OFF)
SELECT * FROM events WHERE id >= 265267917619200000 AND id < 265283017113600000;
PREPARE window_of (timestamptz, timestamptz) AS SELECT count(*) FROM events WHERE snowflake_between(id, $1, $2);
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE window_of ('2026-01-02 00:00:00+00', '2026-01-02 01:00:00+00');
EXECUTE window_of ('2026-01-02 00:00:00+00', '2026-01-02 01:00:00+00');
RESET plan_cache_mode;
DEALLOCATE window_of;
-- In any expression, with an ID that is no column, too, which is evaluated once.
SELECT count(*) FROM events WHERE NOT snowflake_between(id, '2026-01-02 00:00:00+00', '2026-01-02 01:00:00+00');
SELECT snowflake_between(id, '2026-01-01 00:00:00+00', '2026-01-02 00:00:00+00') FROM (VALUES (NULL::bigint)) AS v (id);
CREATE SEQUENCE calls;
SELECT snowflake_between(nextval('calls'), '2024-01-01 00:00:00+00', '2026-01-02 01:00:00+00'), last_value FROM calls;
SELECT last_value FROM calls;
DROP SEQUENCE calls;
CREATE INDEX of_a_day ON events (note) WHERE snowflake_between(id, '2026-01-02 00:00:00+00', '2026-01-03 00:00:00+00');
EXPLAIN (COSTS OFF)
SELECT note FROM events WHERE snowflake_between(id, '2026-01-02 00:00:00+00', '2026-01-03 00:00:00+00') ORDER BY note;
DROP INDEX of_a_day;
-- NULL is no bound.
SELECT count(*) FROM events WHERE snowflake_between(id, NULL, '2026-01-02 01:00:00+00');
-- Refused: bounds that no ID has.
\set VERBOSITY default
SELECT count(*) FROM events WHERE snowflake_between(id, '-infinity', '2026-01-02 01:00:00+00');
\set VERBOSITY terse
-- Nobody can put another function or operator between: the body is bound.
CREATE SCHEMA evil;
CREATE FUNCTION evil.snowflake_from_timestamp(timestamptz) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';
SET search_path = evil, public, pg_catalog;
SELECT count(*) FROM events WHERE snowflake_between(id, '2026-01-02 00:00:00+00', '2026-01-02 01:00:00+00');
RESET search_path;
DROP SCHEMA evil CASCADE;
-- Nor go without the right to it.
CREATE ROLE regress_snowflake_reader;
GRANT SELECT ON events TO regress_snowflake_reader;
REVOKE EXECUTE ON FUNCTION snowflake_between(bigint, timestamptz, timestamptz) FROM public;
SET ROLE regress_snowflake_reader;
SELECT count(*) FROM events WHERE snowflake_between(id, '2026-01-02 00:00:00+00', '2026-01-02 01:00:00+00');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT EXECUTE ON FUNCTION snowflake_between(bigint, timestamptz, timestamptz) TO public;
DROP OWNED BY regress_snowflake_reader;
DROP ROLE regress_snowflake_reader;
DROP TABLE events;
-- Partitions are pruned: at plan time for constants, at run time for the rest.
CREATE TABLE logs (id bigint PRIMARY KEY, note text) PARTITION BY RANGE (id);
SELECT snowflake_create_partition('logs', month, month + interval '1 month')
FROM generate_series(timestamptz '2026-01-01 00:00:00+00', '2026-04-01 00:00:00+00', '1 month') AS month;
SELECT snowflake_create_partition('logs', '2026-05-01 00:00:00+00', '2093-01-01 00:00:00+00', 'logs_later');
INSERT INTO logs SELECT snowflake_encode('2026-02-15 00:00:00+00', 1, 1, 0);
EXPLAIN (COSTS OFF)
SELECT * FROM logs WHERE snowflake_between(id, '2026-02-10 00:00:00+00', '2026-02-20 00:00:00+00');
EXPLAIN (COSTS OFF)
SELECT * FROM logs WHERE snowflake_between(id, now() - interval '1 hour', now());
SELECT tableoid::regclass, snowflake_timestamp(id) FROM logs;
DROP TABLE logs;
