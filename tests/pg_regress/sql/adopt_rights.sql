-- Whose code runs, and with whose rights, when a superuser adopts a key.
CREATE ROLE regress_snowflake_mallory;
CREATE SCHEMA evil AUTHORIZATION regress_snowflake_mallory;
CREATE TABLE seen (who name, code text);
GRANT INSERT ON seen TO PUBLIC;
SET ROLE regress_snowflake_mallory;
CREATE FUNCTION evil.note(code text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN INSERT INTO public.seen VALUES (current_user, code); RETURN 0; END$$;
CREATE FUNCTION evil.run(code text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN evil.note(code); END$$;
-- A table of that role: checks and statements run its code with its own rights.
CREATE TABLE evil.t (id serial PRIMARY KEY, x int, CHECK (evil.run('check ' || id) = 0));
INSERT INTO evil.t (x) VALUES (1);
CREATE INDEX ON evil.t ((x + evil.run('index')));
RESET ROLE;
TRUNCATE seen;
SET client_min_messages = error;
SELECT count(*) > 0 AS would_run FROM snowflake_adopt('evil.t', dry_run => true);
SELECT count(*) > 0 AS ran FROM snowflake_adopt('evil.t');
RESET client_min_messages;
SELECT DISTINCT who FROM seen;
-- Another role's table that references the adopted one is not changed along with it.
CREATE TABLE base (id serial PRIMARY KEY);
GRANT REFERENCES ON base TO regress_snowflake_mallory;
SET ROLE regress_snowflake_mallory;
CREATE TABLE evil.ref (base_id int REFERENCES base, CHECK (evil.run('reference') = 0));
RESET ROLE;
\set VERBOSITY default
SELECT snowflake_adopt('base', dry_run => true);
\echo :LAST_ERROR_SQLSTATE
SELECT snowflake_adopt('base');
\set VERBOSITY terse
SET ROLE regress_snowflake_mallory;
ALTER TABLE evil.ref ALTER COLUMN base_id TYPE bigint;
RESET ROLE;
SELECT snowflake_adopt('base');
-- Whoever owns the extension may add functions to it: none of them becomes the default.
SELECT current_database() AS db \gset
GRANT CREATE ON DATABASE :"db" TO regress_snowflake_mallory;
DROP TABLE evil.t, evil.ref, base;
DROP EXTENSION pg_snowflake;
CREATE SCHEMA theirs AUTHORIZATION regress_snowflake_mallory;
SET ROLE regress_snowflake_mallory;
CREATE EXTENSION pg_snowflake SCHEMA theirs;
CREATE FUNCTION evil.snowflake_nextval() RETURNS bigint LANGUAGE sql RETURN 1;
ALTER EXTENSION pg_snowflake ADD FUNCTION evil.snowflake_nextval();
RESET ROLE;
CREATE TABLE base (id serial PRIMARY KEY);
SELECT theirs.snowflake_adopt('base');
DROP TABLE base, seen;
DROP EXTENSION pg_snowflake;
REVOKE CREATE ON DATABASE :"db" FROM regress_snowflake_mallory;
DROP SCHEMA evil, theirs CASCADE;
DROP ROLE regress_snowflake_mallory;
CREATE EXTENSION pg_snowflake;
