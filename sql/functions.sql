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
