-- What an example finds on its server, run by psql as the superuser: a role that is none, and its database.
-- statements() counts the statements of all sessions so far that insert rows or fetch IDs, in the log
-- (log_statement = all).
\set ON_ERROR_STOP on
\connect template1
CREATE SCHEMA example;
GRANT USAGE ON SCHEMA example TO PUBLIC;
CREATE FUNCTION example.statements() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT count(*) FROM regexp_matches(
        pg_read_file(current_setting('data_directory') || '/../log'),
        '^\[.*LOG:  (?:statement|execute [^ ]+): .*(?:INSERT|COPY|snowflake_(?:reserve|nextval_batch))', 'gni')
$$;
CREATE ROLE app LOGIN CREATEDB;
CREATE DATABASE shop OWNER app;
