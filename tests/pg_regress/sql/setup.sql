CREATE EXTENSION pg_snowflake;
