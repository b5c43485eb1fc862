-- server: pg_snowflake.datacenter_bits=0 pg_snowflake.machine_bits=0 pg_snowflake.sequence_bits=0 pg_snowflake.datacenter_id=0 pg_snowflake.machine_id=0
-- 63 bits of milliseconds reach beyond what type timestamptz holds.
\set VERBOSITY default
SELECT snowflake_nextval() > 0 AS issued;
SELECT id_time FROM snowflake_decode(9000000000000000);
SELECT id_time FROM snowflake_decode(9223372036854775807);
\echo :LAST_ERROR_SQLSTATE
