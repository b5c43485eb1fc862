-- The default of an adopted column: snowflake_nextval() of the extension that the function with OID
-- $1 belongs to, in the words of pg_get_expr(); and whether the caller may take IDs.
SELECT p.oid::regprocedure::text, (has_function_privilege(p.oid, 'EXECUTE')
    AND has_schema_privilege(p.pronamespace, 'USAGE'))::text
FROM pg_depend AS self
JOIN pg_depend AS other ON other.classid = self.classid AND other.deptype = self.deptype
    AND other.refclassid = self.refclassid AND other.refobjid = self.refobjid
JOIN pg_proc AS p ON p.oid = other.objid
WHERE self.classid = 'pg_proc'::regclass AND self.objid = $1 AND self.deptype = 'e'
    AND self.refclassid = 'pg_extension'::regclass
    AND p.proname = 'snowflake_nextval' AND p.pronargs = 0
