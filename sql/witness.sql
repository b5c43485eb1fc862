CREATE FUNCTION snowflake_witness() RETURNS trigger
    LANGUAGE c VOLATILE
    AS 'MODULE_PATHNAME', 'snowflake_witness_wrapper';
COMMENT ON FUNCTION snowflake_witness() IS
    'row trigger: snowflake IDs of this server are greater than those of rows that it has received before';
