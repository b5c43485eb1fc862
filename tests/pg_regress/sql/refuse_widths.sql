-- server: pg_snowflake.machine_bits=10 pg_snowflake.sequence_bits=14
-- 5 + 10 + 14 bits leave too few for the timestamp; nothing can be decoded either.
\set VERBOSITY default
SELECT snowflake_nextval();
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_decode(353470125371392000);
