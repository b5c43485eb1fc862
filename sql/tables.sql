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
