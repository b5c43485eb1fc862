-- server: pg_snowflake.datacenter_id=100 pg_snowflake.datacenter_bits=6
-- Legal by itself, but not with six datacenter bits.
\set VERBOSITY default
SELECT snowflake_nextval();
\echo :LAST_ERROR_SQLSTATE
