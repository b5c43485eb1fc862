-- The ID of docs/reference.md, by the default layout and epoch.
SELECT * FROM snowflake_decode(353470125371392000);
SELECT (snowflake_decode(353470125371392000)).machine;
-- The first and the last ID of the space.
SELECT * FROM snowflake_decode(0);
SELECT * FROM snowflake_decode(9223372036854775807);
-- NULL in, NULL out: one row, not none.
SELECT snowflake_decode(NULL) IS NULL AS is_null;
-- One call per row of a table, and folded to a constant where the ID is one.
SELECT d.sequence
FROM generate_series(353470125371392000, 353470125371392002) AS id, snowflake_decode(id) AS d;
EXPLAIN (COSTS OFF, VERBOSE) SELECT snowflake_decode(353470125371392000);
-- Refused.
\set VERBOSITY default
SELECT snowflake_decode(-1);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_decode(-9223372036854775808);
\echo :LAST_ERROR_SQLSTATE
