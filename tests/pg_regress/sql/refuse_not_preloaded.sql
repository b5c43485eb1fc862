-- server: shared_preload_libraries=
-- Everything but issuing works in a server that does not preload the library.
\set VERBOSITY default
SELECT snowflake_nextval();
\echo :LAST_ERROR_SQLSTATE
LOAD 'pg_snowflake';
SELECT * FROM snowflake_decode(353470125371392000);
SHOW pg_snowflake.machine_bits;
SET pg_snowflake.machine_bits = 7;
