-- IDs put together for backfills and imports, and their times.
SET timezone = 'UTC';
SELECT snowflake_encode('2026-09-02 09:24:05.045+00', 28, 24, 0);
SELECT * FROM snowflake_decode(snowflake_encode('2026-09-02 09:24:05.045+00', 31, 31, 4095));
SELECT snowflake_timestamp(353470125371392000);
SELECT snowflake_from_timestamp('2026-09-02 09:24:05.045+00');
-- A part of a millisecond is cut off.
SELECT snowflake_from_timestamp('2026-09-02 09:24:05.045999+00') =
    snowflake_from_timestamp('2026-09-02 09:24:05.045+00') AS same;
-- The smallest ID of a millisecond: those of the millisecond before are smaller.
SELECT snowflake_from_timestamp(t) > snowflake_encode(t - interval '1 ms', 31, 31, 4095) AS after_all_before,
    snowflake_from_timestamp(t) = snowflake_encode(t, 0, 0, 0) AS is_first
FROM (VALUES (timestamptz '2030-01-01 00:00:00+00')) AS times (t);
-- The ends of the space.
SELECT snowflake_from_timestamp('2024-01-01 00:00:00+00');
SELECT snowflake_encode('2093-09-06 15:47:35.551+00', 31, 31, 4095);
SELECT snowflake_timestamp(0), snowflake_timestamp(9223372036854775807);
-- NULL in, NULL out.
SELECT snowflake_encode(NULL, 1, 1, 1), snowflake_encode(now(), NULL, 1, 1), snowflake_timestamp(NULL),
    snowflake_from_timestamp(NULL);
-- Folded to a constant.
EXPLAIN (COSTS OFF, VERBOSE) SELECT snowflake_from_timestamp('2026-01-01 00:00:00+00');
-- Refused.
\set VERBOSITY default
SELECT snowflake_encode('2023-12-31 23:59:59.999+00', 1, 1, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_encode('2093-09-06 15:47:35.552+00', 1, 1, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_encode('2026-01-01 00:00:00+00', 32, 1, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_encode('2026-01-01 00:00:00+00', 1, -1, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_encode('2026-01-01 00:00:00+00', 1, 1, 4096);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_from_timestamp('infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_from_timestamp('-infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_from_timestamp('4713-01-01 00:00:00+00 BC');
SELECT snowflake_from_timestamp('294276-12-31 23:59:59.999999+00');
SELECT snowflake_timestamp(-1);
\echo :LAST_ERROR_SQLSTATE
