-- server: pg_snowflake.machine_id=seven
-- The server has started, as it should, and knows that its setting was not understood.
\set VERBOSITY default
SELECT snowflake_nextval();
\echo :LAST_ERROR_SQLSTATE
SHOW pg_snowflake.machine_id;
SELECT * FROM snowflake_decode(353470125371392000);
