-- Everything the extension brings, with what the planner is told of it.
SELECT p.oid::regprocedure AS function, pg_get_function_result(p.oid) AS result, provolatile AS volatility,
    proisstrict AS strict, proparallel AS parallel, prosecdef AS security_definer, proconfig AS settings,
    has_function_privilege('public', p.oid, 'EXECUTE') AS for_everyone, obj_description(p.oid, 'pg_proc') AS comment
FROM pg_depend AS d
JOIN pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
JOIN pg_proc AS p ON p.oid = d.objid AND d.classid = 'pg_proc'::regclass
WHERE e.extname = 'pg_snowflake'
ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS other_object FROM pg_depend AS d
JOIN pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
WHERE e.extname = 'pg_snowflake' AND d.classid NOT IN ('pg_proc'::regclass, 'pg_type'::regclass)
ORDER BY 1;
-- It can live in any schema, and move.
CREATE SCHEMA elsewhere;
ALTER EXTENSION pg_snowflake SET SCHEMA elsewhere;
SELECT elsewhere.snowflake_nextval() > 0 AS issued;
ALTER EXTENSION pg_snowflake SET SCHEMA public;
DROP SCHEMA elsewhere;
-- A database owner may install it.
CREATE ROLE regress_snowflake_owner;
SELECT current_database() AS db \gset
GRANT CREATE ON DATABASE :"db" TO regress_snowflake_owner;
DROP EXTENSION pg_snowflake;
SET ROLE regress_snowflake_owner;
CREATE SCHEMA theirs;
CREATE EXTENSION pg_snowflake SCHEMA theirs;
SELECT theirs.snowflake_nextval() > 0 AS issued;
DROP EXTENSION pg_snowflake;
DROP SCHEMA theirs;
RESET ROLE;
REVOKE CREATE ON DATABASE :"db" FROM regress_snowflake_owner;
DROP ROLE regress_snowflake_owner;
CREATE EXTENSION pg_snowflake;
