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
