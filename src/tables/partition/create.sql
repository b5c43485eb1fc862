-- Creates the table $2 beside $1, with all that CREATE TABLE ... PARTITION OF copies. Indexes, foreign keys,
-- row triggers and identity come with ATTACH PARTITION.
SELECT format('CREATE TABLE %1$I.%2$I (LIKE %1$I.%3$I INCLUDING DEFAULTS INCLUDING GENERATED'
    ' INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION)%4$s%5$s',
    n.nspname, $2, c.relname, ' USING ' || quote_ident(am.amname), ' TABLESPACE ' || quote_ident(ts.spcname))
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_am AS am ON am.oid = c.relam
LEFT JOIN pg_tablespace AS ts ON ts.oid = c.reltablespace
WHERE c.oid = $1
