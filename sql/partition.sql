CREATE FUNCTION snowflake_partition(
        parent regclass, "from" timestamptz, "to" timestamptz, name text DEFAULT NULL)
    RETURNS regclass
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'snowflake_partition_wrapper';
COMMENT ON FUNCTION snowflake_partition(regclass, timestamptz, timestamptz, text) IS
    'adds a partition for the snowflake IDs of a time from, inclusive, to, exclusive';
