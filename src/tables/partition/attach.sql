-- Makes the table $2 a partition of $1 for the IDs from $3 to $4, with its row security and its replica
-- identity. One by index has to wait for the index.
SELECT statement
FROM pg_class AS c
JOIN pg_namespace AS cn ON cn.oid = c.relnamespace
JOIN pg_class AS t ON t.oid = $2
JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
CROSS JOIN format('ALTER TABLE %I.%I ', tn.nspname, t.relname) AS alter_table
CROSS JOIN LATERAL (VALUES
    (1, c.relrowsecurity, alter_table || 'ENABLE ROW LEVEL SECURITY'),
    (2, c.relforcerowsecurity, alter_table || 'FORCE ROW LEVEL SECURITY'),
    (3, c.relreplident = 'f', alter_table || 'REPLICA IDENTITY FULL'),
    (4, c.relreplident IN ('n', 'i'), alter_table || 'REPLICA IDENTITY NOTHING'),
    (5, true, format('ALTER TABLE %I.%I ATTACH PARTITION %I.%I FOR VALUES FROM (%s) TO (%s)',
        cn.nspname, c.relname, tn.nspname, t.relname, $3, $4))
) AS step (number, is_needed, statement)
WHERE c.oid = $1 AND is_needed ORDER BY number
