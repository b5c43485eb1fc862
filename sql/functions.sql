CREATE FUNCTION snowflake_nextval() RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_nextval_wrapper';
COMMENT ON FUNCTION snowflake_nextval() IS
    'next snowflake ID of this server';

CREATE FUNCTION snowflake_decode(
        id bigint,
        OUT id_time timestamptz, OUT datacenter int, OUT machine int, OUT sequence int)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'snowflake_decode_wrapper';
COMMENT ON FUNCTION snowflake_decode(bigint) IS
    'time, datacenter, machine and sequence of a snowflake ID';
