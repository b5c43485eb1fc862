-- What $1 is: its name, its owner and whether the caller has the owner's rights; the strategy that it is
-- partitioned by, the number of columns, the type of the first; its default partition.
SELECT c.relname::text, c.relowner::text, pg_has_role(c.relowner, 'USAGE')::text,
    p.partstrat::text, p.partnatts::text, a.atttypid::text, d.relname::text
FROM pg_class AS c
LEFT JOIN pg_partitioned_table AS p ON p.partrelid = c.oid
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
LEFT JOIN pg_class AS d ON d.oid = p.partdefid
WHERE c.oid = $1
