-- $1 the table's OID, $2 the column's name or null: what keeps the column from being adopted at all
-- (null: nothing does), the column, more about the refusal, the column's number, and the query for its
-- greatest value, if that is not below $1, and the table's owner. No row if there is no such relation.
-- That query is run under the search_path of the caller, so it names the schema of everything.
SELECT refusal,
    CASE WHEN refusal IN ('kind', 'catalog', 'owner', 'key') THEN described
        WHEN refusal IN ('missing', 'system') THEN quote_ident($2) || ' of ' || described
        ELSE format('%I.%I.%I', nspname, relname, attname) END,
    CASE refusal
        WHEN 'inherited' THEN parent
        ELSE format_type(atttypid, atttypmod)
    END,
    attnum::text,
    'SELECT value::pg_catalog.text FROM (SELECT pg_catalog.max(' || quote_ident(attname) || ') AS value FROM '
        || format('%I.%I', nspname, relname) || ') AS greatest WHERE value OPERATOR(pg_catalog.>=) $1',
    relowner::text
FROM (
    SELECT *, CASE
            WHEN relkind NOT IN ('r', 'p') THEN 'kind'
            WHEN oid < 16384 THEN 'catalog'
            WHEN NOT pg_has_role(relowner, 'USAGE') THEN 'owner'
            WHEN $2 IS NULL AND attnum IS NULL THEN 'key'
            WHEN attnum IS NULL THEN 'missing'
            WHEN attnum < 0 THEN 'system'
            WHEN atttypid NOT IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype) THEN
                CASE typtype WHEN 'd' THEN 'domain' ELSE 'type' END
            WHEN attgenerated <> '' THEN 'generated'
            WHEN attinhcount > 0 THEN 'inherited'
        END AS refusal
    FROM (
        SELECT c.oid, c.relkind, c.relowner, c.relname, n.nspname, a.attnum, a.attname, a.atttypid,
            a.atttypmod, a.attgenerated, a.attinhcount, t.typtype,
            pg_describe_object('pg_class'::regclass, c.oid, 0) AS described,
            COALESCE(pg_partition_root(c.oid)::text, (
                SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
                FROM pg_inherits AS i
                JOIN pg_attribute AS p ON p.attrelid = i.inhparent AND p.attname = a.attname
                WHERE i.inhrelid = c.oid)) AS parent
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN pg_constraint AS k
            ON k.conrelid = c.oid AND k.contype = 'p' AND cardinality(k.conkey) = 1
        LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND NOT a.attisdropped
            AND CASE WHEN $2 IS NULL THEN a.attnum = k.conkey[1] ELSE a.attname = $2::name END
        LEFT JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE c.oid = $1
    ) AS found
) AS judged
