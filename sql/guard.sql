CREATE FUNCTION snowflake_guard() RETURNS trigger
    LANGUAGE c VOLATILE
    AS 'MODULE_PATHNAME', 'snowflake_guard_wrapper';
COMMENT ON FUNCTION snowflake_guard() IS
    'row trigger: warns of snowflake IDs of this server that it has not issued; with argument error, refuses them';
