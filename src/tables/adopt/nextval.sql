-- The default of an adopted column: snowflake_nextval() of the extension that the function with OID
-- $1 belongs to, in the words of pg_get_expr(); and whether the present role may take IDs.
SELECT p.oid::regprocedure::text, (has_function_privilege(p.oid, 'EXECUTE')
    AND has_schema_privilege(p.pronamespace, 'USAGE'))::text
FROM pg_depend AS self
JOIN pg_depend AS other ON other.classid = self.classid AND other.deptype = self.deptype
    AND other.refclassid = self.refclassid AND other.refobjid = self.refobjid
JOIN pg_proc AS p ON p.oid = other.objid
-- The role that owns the extension may add functions to it, but none of this library.
JOIN pg_proc AS me ON me.oid = self.objid AND me.prolang = p.prolang AND me.probin = p.probin
    AND p.prosrc = 'snowflake_nextval_wrapper'
WHERE self.classid = 'pg_proc'::regclass AND self.objid = $1 AND self.deptype = 'e'
    AND self.refclassid = 'pg_extension'::regclass
    AND p.proname = 'snowflake_nextval' AND p.pronargs = 0
