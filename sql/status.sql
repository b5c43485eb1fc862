-- What one role does is no other's business, so this is for monitoring roles.

CREATE FUNCTION snowflake_status(
        OUT datacenter int, OUT machine int,
        OUT datacenter_bits int, OUT machine_bits int, OUT sequence_bits int,
        OUT epoch timestamptz, OUT exhausted_on timestamptz,
        OUT last_id_time timestamptz, OUT wall_time timestamptz, OUT drift interval,
        OUT lease_end timestamptz, OUT floor_time timestamptz, OUT floor_source text,
        OUT renewals bigint, OUT renewals_by_callers bigint,
        OUT waits bigint, OUT wait_time interval,
        OUT steps_back bigint, OUT largest_step_back interval,
        OUT refusal text)
    LANGUAGE c VOLATILE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_status_wrapper';
COMMENT ON FUNCTION snowflake_status() IS
    'row of the view snowflake_status';

CREATE VIEW snowflake_status AS SELECT * FROM snowflake_status();
COMMENT ON VIEW snowflake_status IS
    'node, layout, ID clock and lease of this server, and what has happened since it started';

REVOKE ALL ON FUNCTION snowflake_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION snowflake_status() TO pg_monitor;
GRANT SELECT ON snowflake_status TO pg_monitor;
