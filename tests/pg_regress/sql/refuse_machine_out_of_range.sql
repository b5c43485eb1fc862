-- server: pg_snowflake.machine_id=32
-- Legal by itself, but not with five machine bits.
\set VERBOSITY default
SELECT snowflake_nextval();
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM snowflake_decode(353470125371392000);
