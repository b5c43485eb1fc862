-- pg_snowflake 1.0.0
\echo Use "CREATE EXTENSION pg_snowflake" to load this file. \quit

-- Issuing. A parallel plan takes IDs in its leader only, above Gather Merge: those of a statement follow its
-- ORDER BY, as with nextval().

CREATE FUNCTION snowflake_nextval() RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'snowflake_nextval_wrapper';
COMMENT ON FUNCTION snowflake_nextval() IS
    'next snowflake ID of this server';

-- Not strict: a default is to give an ID where there is nothing to be greater than.
CREATE FUNCTION snowflake_nextval(after bigint) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'snowflake_nextval_after_wrapper';
COMMENT ON FUNCTION snowflake_nextval(bigint) IS
    'next snowflake ID of this server, greater than an ID of any server';

-- For tools that take a default with "nextval" in it for that of a sequence.
CREATE FUNCTION snowflake_id() RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'snowflake_nextval_wrapper';
COMMENT ON FUNCTION snowflake_id() IS
    'next snowflake ID of this server; the same as snowflake_nextval()';

CREATE FUNCTION snowflake_nextval_batch(count bigint) RETURNS SETOF bigint
    LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED ROWS 1000
    AS 'MODULE_PATHNAME', 'snowflake_nextval_batch_wrapper';
COMMENT ON FUNCTION snowflake_nextval_batch(bigint) IS
    'next snowflake IDs of this server, increasing';

CREATE FUNCTION snowflake_reserve(count bigint) RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'snowflake_reserve_wrapper';
COMMENT ON FUNCTION snowflake_reserve(bigint) IS
    'first of a number of consecutive snowflake IDs, all of which belong to the caller';

-- There is no way back, so this is for superusers.

CREATE FUNCTION snowflake_raise(id bigint) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'snowflake_raise_wrapper';
COMMENT ON FUNCTION snowflake_raise(bigint) IS
    'have all snowflake IDs of this server be greater than an ID from now on';

REVOKE ALL ON FUNCTION snowflake_raise(bigint) FROM PUBLIC;

-- Encoding and decoding. Immutable, because layout and epoch are fixed from the first ID on.

CREATE FUNCTION snowflake_encode(id_time timestamptz, datacenter int, machine int, sequence int)
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

CREATE FUNCTION snowflake_from_timestamp(id_time timestamptz) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_from_timestamp_wrapper';
COMMENT ON FUNCTION snowflake_from_timestamp(timestamptz) IS
    'smallest snowflake ID of a millisecond';

-- Not strict, or it could not be inlined and would hide the column from the planner.
CREATE FUNCTION snowflake_between(id bigint, from_time timestamptz, to_time timestamptz) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN id >= snowflake_from_timestamp(from_time) AND id < snowflake_from_timestamp(to_time);
COMMENT ON FUNCTION snowflake_between(bigint, timestamptz, timestamptz) IS
    'whether a snowflake ID is of a time from from_time, inclusive, to to_time, exclusive';

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

CREATE FUNCTION snowflake_create_partition(
        parent regclass, from_time timestamptz, to_time timestamptz, name text DEFAULT NULL)
    RETURNS regclass
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'snowflake_create_partition_wrapper';
COMMENT ON FUNCTION snowflake_create_partition(regclass, timestamptz, timestamptz, text) IS
    'create a partition for the snowflake IDs of a time from, inclusive, to, exclusive';

CREATE FUNCTION snowflake_create_partitions(
        parent regclass, every interval, ahead int, time_zone text DEFAULT 'UTC')
    RETURNS SETOF regclass
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'snowflake_create_partitions_wrapper';
COMMENT ON FUNCTION snowflake_create_partitions(regclass, interval, int, text) IS
    'create the partitions that are missing for now and for a number of months, days or hours ahead';

CREATE FUNCTION snowflake_audit(
        relation regclass, column_name name,
        OUT datacenter int, OUT machine int, OUT ids bigint,
        OUT first_time timestamptz, OUT last_time timestamptz,
        OUT ahead_of_clock bigint, OUT this_node boolean, OUT not_issued bigint)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 ROWS 10
    AS 'MODULE_PATHNAME', 'snowflake_audit_wrapper';
COMMENT ON FUNCTION snowflake_audit(regclass, name) IS
    'nodes whose snowflake IDs a table holds, and IDs that should not be there';

CREATE FUNCTION snowflake_guard() RETURNS trigger
    LANGUAGE c VOLATILE
    AS 'MODULE_PATHNAME', 'snowflake_guard_wrapper';
COMMENT ON FUNCTION snowflake_guard() IS
    'row trigger: warns of snowflake IDs of this server that it has not issued; with argument error, refuses them';

CREATE FUNCTION snowflake_witness() RETURNS trigger
    LANGUAGE c VOLATILE
    AS 'MODULE_PATHNAME', 'snowflake_witness_wrapper';
COMMENT ON FUNCTION snowflake_witness() IS
    'row trigger: snowflake IDs of this server are greater than those of rows that it has received before';

CREATE FUNCTION snowflake_adopt(
        relation regclass, column_name name DEFAULT NULL, dry_run boolean DEFAULT false,
        OUT statement text)
    RETURNS SETOF text
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 ROWS 10
    AS 'MODULE_PATHNAME', 'snowflake_adopt_statements_wrapper';
COMMENT ON FUNCTION snowflake_adopt(regclass, name, boolean) IS
    'make an integer key a bigint that defaults to snowflake_nextval(), with every column that references it';

-- From now on a lease file that is missing is lost. Nothing of this is left in the extension.

CREATE FUNCTION snowflake_install() RETURNS void
    LANGUAGE c VOLATILE
    AS 'MODULE_PATHNAME', 'snowflake_install_wrapper';
SELECT snowflake_install();
DROP FUNCTION snowflake_install();
