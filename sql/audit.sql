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
