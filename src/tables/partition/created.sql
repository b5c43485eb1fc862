-- The table $2 in the schema of $1.
SELECT t.oid::text FROM pg_class AS c JOIN pg_class AS t USING (relnamespace)
WHERE c.oid = $1 AND t.relname = $2::name
