-- server: pg_snowflake.epoch=yesterday
-- Decoding by the default epoch instead of the one that was meant would be a silent lie.
\set VERBOSITY default
SELECT snowflake_nextval();
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_decode(353470125371392000);
\echo :LAST_ERROR_SQLSTATE
