SELECT name, unit, context, vartype, min_val, max_val, boot_val
FROM pg_settings WHERE name LIKE 'pg\_snowflake.%' ORDER BY name;
SELECT name, short_desc, extra_desc
FROM pg_settings WHERE name LIKE 'pg\_snowflake.%' ORDER BY name \gx
SHOW pg_snowflake.max_drift;
-- No session can change one.
\set VERBOSITY default
SET pg_snowflake.machine_id = 2;
SET pg_snowflake.epoch = '2020-01-01 00:00:00+00';
SET pg_snowflake.max_drift = '1min';
ALTER DATABASE postgres SET pg_snowflake.machine_id = 2;
-- A misspelt name is an error.
SET pg_snowflake.machin_id = 2;
-- ALTER SYSTEM refuses what the server would not start well with.
ALTER SYSTEM SET pg_snowflake.machine_id = 16777216;
ALTER SYSTEM SET pg_snowflake.machine_id = 'seven';
ALTER SYSTEM SET pg_snowflake.machine_bits = 25;
\set VERBOSITY sqlstate
ALTER SYSTEM SET pg_snowflake.max_drift = '2h';
\set VERBOSITY default
ALTER SYSTEM SET pg_snowflake.epoch = 'tomorrow';
ALTER SYSTEM SET pg_snowflake.epoch = '2024-01-01 00:00:00';
ALTER SYSTEM SET pg_snowflake.epoch = '2024-01-01 00:00:00.0005Z';
-- And takes the rest; what is fixed at server start waits for one.
ALTER SYSTEM SET pg_snowflake.epoch = '2020-06-01T12:00:00+02:00';
ALTER SYSTEM SET pg_snowflake.max_drift = '90s';
ALTER SYSTEM RESET pg_snowflake.epoch;
ALTER SYSTEM RESET pg_snowflake.max_drift;
