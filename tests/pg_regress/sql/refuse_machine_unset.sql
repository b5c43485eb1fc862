-- server: pg_snowflake.machine_id=
-- The machine id has no default on purpose; decoding needs none.
\set VERBOSITY default
SELECT snowflake_nextval();
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM snowflake_decode(353470125371392000);
