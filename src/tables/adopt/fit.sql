-- Where the next ID has to fit, in the column and in those that reference it: what it is; table and column;
-- the kind: a check; a value (of an index or a generated column); a partition's constraint, with the table
-- that it is a partition of; a partitioned table, a partition key that is an expression, or a foreign key of
-- the column (then nothing follows); the expression; a FROM item with the column, as a bigint, first; and, if
-- the expression has no other column, a query that evaluates it for $1, and whether all that it calls is built in.
, source AS (
    SELECT t.*, format('(SELECT %1$I::bigint AS %1$I, tableoid%2$s FROM ONLY %3$s) AS %4$I', t.name, (
            SELECT string_agg(', ' || quote_ident(attname), '') FROM pg_attribute
            WHERE attrelid = t.rel AND attnum > 0 AND attnum <> t.att AND NOT attisdropped
        ), t.table_name, k.relname) AS item,
        format('(SELECT $1 AS %I, %s::oid AS tableoid) AS %I', t.name, t.rel, k.relname) AS constant
    FROM touched AS t JOIN pg_class AS k ON k.oid = t.rel
), part AS (
    SELECT s.rel, s.att, pg_describe_object('pg_constraint'::regclass, k.oid, 0) AS described,
        'check' AS kind, 'pg_constraint'::regclass AS classid, k.oid AS objid,
        k.conbin::text AS node, pg_get_expr(k.conbin, k.conrelid) AS text
    FROM source AS s
    JOIN pg_constraint AS k ON k.conrelid = s.rel AND k.contype = 'c' AND s.att = ANY (k.conkey)
    WHERE to_jsonb(k) ->> 'conenforced' IS DISTINCT FROM 'false'
    UNION ALL
    SELECT s.rel, s.att, pg_describe_object('pg_class'::regclass, i.indexrelid, 0),
        'value', 'pg_class'::regclass, i.indexrelid,
        concat(i.indexprs::text, i.indpred::text),
        format('CASE WHEN %s THEN num_nulls(%s) END',
            coalesce(pg_get_expr(i.indpred, i.indrelid), 'true'),
            coalesce(pg_get_expr(i.indexprs, i.indrelid), 'true'))
    FROM source AS s
    JOIN pg_index AS i ON i.indrelid = s.rel AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
    UNION ALL
    SELECT s.rel, s.att, 'generated ' || pg_describe_object('pg_class'::regclass, s.rel, g.adnum),
        'value', 'pg_attrdef'::regclass, g.oid, g.adbin::text,
        format('num_nulls((%s)::%s)', pg_get_expr(g.adbin, g.adrelid), format_type(a.atttypid, a.atttypmod))
    FROM source AS s
    JOIN pg_attribute AS a ON a.attrelid = s.rel AND a.attgenerated <> ''
    JOIN pg_attrdef AS g ON g.adrelid = a.attrelid AND g.adnum = a.attnum
    UNION ALL
    SELECT s.rel, s.att, format('partition key of %s', s.table_name),
        'key', 'pg_class'::regclass, s.rel, k.partexprs::text, NULL
    FROM source AS s JOIN pg_partitioned_table AS k ON k.partrelid = s.rel
    WHERE k.partexprs IS NOT NULL
)
SELECT p.described, s.rel::text, s.att::text, p.kind, NULL, p.text, s.item,
    -- The column is the only one in it, but for system columns.
    CASE WHEN p.node !~ format(':varattno (?!(%s|-[0-9]+) )', s.att)
        THEN format('SELECT (%s)::text FROM %s', p.text, s.constant) END,
    (p.node !~ ':varattno 0 ' AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = p.classid AND d.objid = p.objid AND d.refclassid
            IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass)))::text
FROM part AS p JOIN source AS s ON s.rel = p.rel AND s.att = p.att
-- Of a whole row, too.
WHERE p.node ~ format(':varattno (%s|0) ', s.att)
UNION ALL
SELECT s.table_name, s.rel::text, s.att::text, 'partition', i.inhparent::text,
    pg_get_partition_constraintdef(s.rel), s.item, NULL, NULL
FROM source AS s JOIN pg_inherits AS i ON i.inhrelid = s.rel
WHERE s.relispartition
UNION ALL
SELECT s.table_name, s.rel::text, s.att::text, 'partitioned', NULL, NULL, NULL, NULL, NULL
FROM source AS s WHERE s.relkind = 'p'
UNION ALL
-- A column that references itself is always right; a deferred key may get its row later.
SELECT pg_describe_object('pg_constraint'::regclass, k.oid, 0), s.rel::text, s.att::text, 'reference',
    NULL, NULL, NULL, NULL, NULL
FROM source AS s
JOIN pg_constraint AS k ON k.conrelid = s.rel AND k.contype = 'f' AND k.conparentid = 0
CROSS JOIN unnest(k.conkey, k.confkey) AS pair(att, ref)
WHERE s.adopted AND pair.att = s.att AND NOT (k.confrelid = s.rel AND pair.ref = s.att)
    AND NOT k.condeferrable AND to_jsonb(k) ->> 'conenforced' IS DISTINCT FROM 'false'
ORDER BY 1, 3
