-- pg_snowflake 0.1.0, frozen. It was never released: those who built from source have it.
\echo Use "CREATE EXTENSION pg_snowflake" to load this file. \quit

-- Issuing. Cheaper than any row of it is to move, so a parallel plan may take IDs in its workers.

CREATE FUNCTION snowflake_nextval() RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_nextval_wrapper';
COMMENT ON FUNCTION snowflake_nextval() IS
    'next snowflake ID of this server';

CREATE FUNCTION snowflake_nextval_batch(n int) RETURNS SETOF bigint
    LANGUAGE c VOLATILE STRICT PARALLEL SAFE ROWS 1000
    AS 'MODULE_PATHNAME', 'snowflake_nextval_batch_wrapper';
COMMENT ON FUNCTION snowflake_nextval_batch(int) IS
    'next n snowflake IDs of this server, increasing';

CREATE FUNCTION snowflake_reserve(n int) RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_reserve_wrapper';
COMMENT ON FUNCTION snowflake_reserve(int) IS
    'first of n consecutive snowflake IDs, all of which belong to the caller';

-- The state of the session is the leader's.
CREATE FUNCTION snowflake_lastval() RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'snowflake_lastval_wrapper';
COMMENT ON FUNCTION snowflake_lastval() IS
    'last snowflake ID returned in this session';

-- Encoding and decoding. Immutable, because layout and epoch are fixed from the first ID on.

CREATE FUNCTION snowflake_encode(ts timestamptz, datacenter int, machine int, sequence int)
    RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_encode_wrapper';
COMMENT ON FUNCTION snowflake_encode(timestamptz, int, int, int) IS
    'snowflake ID of a time, datacenter, machine and sequence';

CREATE FUNCTION snowflake_decode(
        id bigint,
        OUT id_time timestamptz, OUT datacenter int, OUT machine int, OUT sequence int)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_decode_wrapper';
COMMENT ON FUNCTION snowflake_decode(bigint) IS
    'time, datacenter, machine and sequence of a snowflake ID';

CREATE FUNCTION snowflake_decode(
        id bigint, epoch timestamptz, datacenter_bits int, machine_bits int, sequence_bits int,
        OUT id_time timestamptz, OUT datacenter int, OUT machine int, OUT sequence int)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_decode_foreign_wrapper';
COMMENT ON FUNCTION snowflake_decode(bigint, timestamptz, int, int, int) IS
    'time, datacenter, machine and sequence of an ID of another system';

CREATE FUNCTION snowflake_decode_jsonb(id bigint) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_decode_jsonb_wrapper';
COMMENT ON FUNCTION snowflake_decode_jsonb(bigint) IS
    'snowflake ID, its time, datacenter, machine and sequence as JSON';

CREATE FUNCTION snowflake_timestamp(id bigint) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_timestamp_wrapper';
COMMENT ON FUNCTION snowflake_timestamp(bigint) IS
    'time of a snowflake ID, to the millisecond';

CREATE FUNCTION snowflake_from_timestamp(ts timestamptz) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_from_timestamp_wrapper';
COMMENT ON FUNCTION snowflake_from_timestamp(timestamptz) IS
    'smallest snowflake ID of a millisecond';

-- Not strict, or it could not be inlined and would hide the column from the planner.
CREATE FUNCTION snowflake_between(id bigint, "from" timestamptz, "to" timestamptz) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN id >= snowflake_from_timestamp("from") AND id < snowflake_from_timestamp("to");
COMMENT ON FUNCTION snowflake_between(bigint, timestamptz, timestamptz) IS
    'whether a snowflake ID is of a time from, inclusive, to, exclusive';

-- Text forms.

CREATE FUNCTION snowflake_to_base32(id bigint) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_to_base32_wrapper';
COMMENT ON FUNCTION snowflake_to_base32(bigint) IS
    'snowflake ID as 13 characters of Crockford''s base 32, in the same order under COLLATE "C"';

CREATE FUNCTION snowflake_from_base32(id text) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_from_base32_wrapper';
COMMENT ON FUNCTION snowflake_from_base32(text) IS
    'snowflake ID of its base 32 form';

CREATE FUNCTION snowflake_to_base62(id bigint) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_to_base62_wrapper';
COMMENT ON FUNCTION snowflake_to_base62(bigint) IS
    'snowflake ID as 11 characters 0-9A-Za-z, in the same order under COLLATE "C"';

CREATE FUNCTION snowflake_from_base62(id text) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_from_base62_wrapper';
COMMENT ON FUNCTION snowflake_from_base62(text) IS
    'snowflake ID of its base 62 form';

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

-- What looks at tables and changes them does so with the caller's rights, and with a search_path that
-- nobody can put anything into.

CREATE FUNCTION snowflake_partition(
        parent regclass, "from" timestamptz, "to" timestamptz, name text DEFAULT NULL)
    RETURNS regclass
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'snowflake_partition_wrapper';
COMMENT ON FUNCTION snowflake_partition(regclass, timestamptz, timestamptz, text) IS
    'adds a partition for the snowflake IDs of a time from, inclusive, to, exclusive';

CREATE FUNCTION snowflake_audit(
        rel regclass, col name,
        OUT datacenter int, OUT machine int, OUT ids bigint,
        OUT first_time timestamptz, OUT last_time timestamptz,
        OUT ahead_of_clock bigint, OUT this_node boolean, OUT beyond_mark bigint)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED COST 10000 ROWS 10 SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'snowflake_audit_wrapper';
COMMENT ON FUNCTION snowflake_audit(regclass, name) IS
    'nodes whose snowflake IDs a table holds, and IDs that should not be there';

CREATE FUNCTION snowflake_guard() RETURNS trigger
    LANGUAGE c VOLATILE
    AS 'MODULE_PATHNAME', 'snowflake_guard_wrapper';
COMMENT ON FUNCTION snowflake_guard() IS
    'row trigger: warns of snowflake IDs of this server that it has not issued; with argument error, refuses them';

CREATE FUNCTION snowflake_adopt(rel regclass, col name DEFAULT NULL, report_only boolean DEFAULT false)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'snowflake_adopt_wrapper';
COMMENT ON FUNCTION snowflake_adopt(regclass, name, boolean) IS
    'make an integer key a bigint that defaults to snowflake_nextval(), with every column that references it';
