CREATE FUNCTION snowflake_adopt(rel regclass, col name DEFAULT NULL, report_only boolean DEFAULT false)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'snowflake_adopt_wrapper';
COMMENT ON FUNCTION snowflake_adopt(regclass, name, boolean) IS
    'make an integer key a bigint that defaults to snowflake_nextval(), with every column that references it';
