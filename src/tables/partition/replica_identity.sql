-- Gives the partition $2 the index that belongs to the replica identity of $1, if that is by index.
SELECT format('ALTER TABLE %I.%I REPLICA IDENTITY USING INDEX %I', n.nspname, t.relname, index.relname)
FROM pg_class AS c
JOIN pg_index AS whole ON whole.indrelid = c.oid AND whole.indisreplident
JOIN pg_inherits AS i ON i.inhparent = whole.indexrelid
JOIN pg_index AS part ON part.indexrelid = i.inhrelid
JOIN pg_class AS index ON index.oid = part.indexrelid
JOIN pg_class AS t ON t.oid = part.indrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE c.oid = $1 AND c.relreplident = 'i' AND t.oid = $2
