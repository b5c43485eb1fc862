-- What one role does is not for every other one to see, so this is for monitoring roles. There is no view of
-- it: a view of an extension in "public" breaks tools that drop every view of a schema.

CREATE FUNCTION snowflake_status(
        OUT datacenter int, OUT machine int, OUT machine_source text,
        OUT datacenter_bits int, OUT machine_bits int, OUT sequence_bits int,
        OUT epoch timestamptz, OUT exhausted_at timestamptz,
        OUT last_id_time timestamptz, OUT wall_time timestamptz, OUT drift interval,
        OUT lease_end timestamptz, OUT start_time timestamptz, OUT start_source text,
        OUT renewals bigint, OUT renewals_by_sessions bigint,
        OUT write_time interval, OUT slow_writes bigint,
        OUT waits bigint, OUT wait_time interval,
        OUT steps_back bigint, OUT largest_step_back interval,
        OUT steps_forward bigint, OUT largest_step_forward interval,
        OUT witnessed bigint, OUT raises bigint, OUT too_far_ahead bigint,
        OUT error text)
    LANGUAGE c VOLATILE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_status_wrapper';
COMMENT ON FUNCTION snowflake_status() IS
    'node, layout, ID clock and lease of this server, what has happened since it started, and what keeps it from issuing';

REVOKE ALL ON FUNCTION snowflake_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION snowflake_status() TO pg_monitor;
