-- Many IDs at a time.
SELECT snowflake_nextval() AS before \gset
SELECT count(*), count(DISTINCT id), min(id) > :before AS after_before FROM snowflake_nextval_batch(10000) AS id;
SELECT bool_and(id > before) AS increasing FROM (
    SELECT id, lag(id) OVER (ORDER BY n) AS before
    FROM snowflake_nextval_batch(100000) WITH ORDINALITY AS taken (id, n)
) AS pairs;
SELECT count(*) FROM snowflake_nextval_batch(1);
-- In a select list, and abandoned half-way.
SELECT count(id) FROM (SELECT snowflake_nextval_batch(5) AS id) AS taken;
SELECT count(id) FROM (SELECT snowflake_nextval_batch(5) AS id LIMIT 2) AS taken;
-- Consecutive IDs, all of one millisecond and all the caller's.
SELECT snowflake_reserve(4096) AS first \gset
SELECT sequence FROM snowflake_decode(:first);
SELECT snowflake_timestamp(:first) = snowflake_timestamp(:first + 4095) AS same_millisecond,
    snowflake_nextval() > :first + 4095 AS after_all;
SELECT snowflake_reserve(50) AS first \gset
SELECT a.machine = 1 AND b.machine = 1 AND b.sequence - a.sequence = 49 AND a.id_time = b.id_time AS within_one
FROM snowflake_decode(:first) AS a, snowflake_decode(:first + 49) AS b;
SELECT snowflake_reserve(1) > :first + 49 AS greater;
SELECT bool_and(id - before >= 50) AS apart FROM (
    SELECT id, lag(id) OVER (ORDER BY n) AS before
    FROM (SELECT n, snowflake_reserve(50) AS id FROM generate_series(1, 1000) AS n) AS taken
) AS pairs;
-- Drivers send bigint.
PREPARE take(bigint) AS SELECT count(*) FROM snowflake_nextval_batch($1), (SELECT snowflake_reserve($1)) AS run;
EXECUTE take(10);
DEALLOCATE take;
-- NULL in: NULL, or no row.
SELECT snowflake_reserve(NULL);
SELECT count(*) FROM snowflake_nextval_batch(NULL);
-- Refused.
\set VERBOSITY default
SELECT snowflake_reserve(4097);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_reserve(0);
SELECT snowflake_reserve(-9223372036854775808);
SELECT snowflake_nextval_batch(0);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_nextval_batch(10000001);
SELECT snowflake_nextval_batch(4294967297);
