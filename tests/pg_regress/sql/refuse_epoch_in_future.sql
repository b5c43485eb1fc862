-- server: pg_snowflake.epoch=2999-01-01T00:00:00Z
-- No clock of a server stands there yet.
\set VERBOSITY default
SELECT snowflake_nextval();
\echo :LAST_ERROR_SQLSTATE
SELECT id_time FROM snowflake_decode(0);
