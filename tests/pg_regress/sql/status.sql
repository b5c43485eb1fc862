-- What monitoring sees.
SET timezone = 'UTC';
SELECT snowflake_nextval() IS NOT NULL AS issued;
SELECT datacenter, machine, datacenter_bits, machine_bits, sequence_bits, epoch, exhausted_at, error
FROM snowflake_status();
SELECT count(*) AS rows, bool_and(wall_time - last_id_time BETWEEN '0' AND '1 minute') AS just_issued,
    bool_and(lease_end > last_id_time) AS covered, bool_and(renewals >= renewals_by_sessions) AS counted,
    bool_and(start_source IN ('clock', 'lease')) AS started
FROM snowflake_status();
-- A burst is visible as drift.
SELECT count(id) FROM (SELECT snowflake_nextval_batch(8000000) AS id LIMIT 1) AS taken;
SELECT drift BETWEEN '1 second' AND '5 seconds' AS ahead FROM snowflake_status();
-- For monitoring roles.
CREATE ROLE regress_snowflake_monitor IN ROLE pg_monitor;
CREATE ROLE regress_snowflake_user;
SET ROLE regress_snowflake_monitor;
SELECT machine FROM snowflake_status();
SET ROLE regress_snowflake_user;
SELECT machine FROM snowflake_status();
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_status();
RESET ROLE;
DROP ROLE regress_snowflake_monitor, regress_snowflake_user;
