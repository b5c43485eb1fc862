-- server: pg_snowflake.epoch=2000-01-01T00:00:00Z pg_snowflake.machine_bits=7
-- 39 bits of milliseconds are 17 years.
\set VERBOSITY default
SELECT snowflake_nextval();
\echo :LAST_ERROR_SQLSTATE
SELECT id_time FROM snowflake_decode(9223372036854775807);
