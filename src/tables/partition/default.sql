-- The default partition of $1, its name and, where this role can see all its rows, the query that counts
-- those whose IDs are from $1 on and below $2. That one runs under the caller's search_path.
SELECT d.oid::text, d.relname::text, CASE
    WHEN d.relkind IN ('r', 'p', 'f') AND has_schema_privilege(n.oid, 'USAGE')
        AND has_table_privilege(d.oid, 'SELECT') AND NOT row_security_active(d.oid)
    THEN format('SELECT pg_catalog.count(*)::pg_catalog.text FROM %1$I.%2$I'
        ' WHERE %3$I OPERATOR(pg_catalog.>=) $1 AND %3$I OPERATOR(pg_catalog.<) $2',
        n.nspname, d.relname, a.attname)
    END
FROM pg_partitioned_table AS p
JOIN pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
JOIN pg_class AS d ON d.oid = p.partdefid
JOIN pg_namespace AS n ON n.oid = d.relnamespace
WHERE p.partrelid = $1
