CREATE FUNCTION snowflake_adopt(
        relation regclass, column_name name DEFAULT NULL, dry_run boolean DEFAULT false,
        OUT statement text)
    RETURNS SETOF text
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 ROWS 10
    AS 'MODULE_PATHNAME', 'snowflake_adopt_statements_wrapper';
COMMENT ON FUNCTION snowflake_adopt(regclass, name, boolean) IS
    'make an integer key a bigint that defaults to snowflake_nextval(), with every column that references it';
