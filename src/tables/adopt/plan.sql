-- What adopting does, in order: statements (true) and what is worth knowing (false). $3 is the new
-- default, in the words of pg_get_expr().
, root AS (
    -- ALTER TABLE on these reaches what inherits them.
    SELECT * FROM changed WHERE parents = 0
), action AS (
    SELECT rel, att, 1 AS rank, format('ALTER COLUMN %I DROP IDENTITY', name) AS text
    FROM adopted WHERE is_root AND attidentity <> ''
    UNION ALL
    SELECT rel, att, 2, format('ALTER COLUMN %I TYPE bigint', name) FROM root WHERE narrow
    UNION ALL
    SELECT rel, att, 3, format('ALTER COLUMN %I SET DEFAULT %s', name, $3)
    FROM adopted
    WHERE is_root AND EXISTS (SELECT FROM adopted WHERE default_text IS DISTINCT FROM $3)
), statement AS (
    -- A partition has no identity of its own.
    SELECT 1 AS rank, format('ALTER TABLE %s ALTER COLUMN %I DROP IDENTITY', table_name, name) AS text
    FROM adopted WHERE NOT is_root AND attidentity <> '' AND NOT relispartition
    UNION ALL
    SELECT CASE a.rel WHEN $1 THEN 2 ELSE 3 END,
        format('ALTER TABLE %s %s', r.table_name, string_agg(a.text, ', ' ORDER BY a.att, a.rank))
    FROM action AS a JOIN (SELECT DISTINCT rel, table_name FROM root) AS r ON r.rel = a.rel
    GROUP BY a.rel, r.table_name
    UNION ALL
    SELECT 4, format('DROP SEQUENCE %s', name) FROM used_sequence
    WHERE owned AND NOT identity AND users IS NULL AND namers IS NULL
), key_name AS (
    -- The names, without case and underscores, that a reference to the column has by convention: that of
    -- the table, in the plural or the singular of English, and of the column; or, but for "id", the column's.
    SELECT DISTINCT lower(replace(n.name, '_', '')) AS text
    FROM adopted AS a
    JOIN pg_class AS c ON c.oid = a.rel,
    LATERAL (VALUES
        (c.relname || a.name), (regexp_replace(c.relname, 's$', '') || a.name),
        (regexp_replace(c.relname, 'es$', '') || a.name),
        (regexp_replace(c.relname, 'ies$', 'y') || a.name),
        (CASE WHEN lower(a.name) <> 'id' THEN a.name END)
    ) AS n(name)
    WHERE a.is_root AND n.name IS NOT NULL
), look_alike AS (
    SELECT format('%I.%I.%I', n.nspname, c.relname, a.attname) AS name,
        row_number() OVER (ORDER BY n.nspname, c.relname, a.attnum) AS number, count(*) OVER () AS total
    FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname <> 'information_schema'
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attinhcount = 0 AND c.oid >= 16384
        AND a.atttypid IN ('smallint'::regtype, 'integer'::regtype)
        AND NOT pg_is_other_temp_schema(n.oid)
        AND lower(replace(a.attname, '_', '')) IN (SELECT text FROM key_name)
        AND NOT EXISTS (SELECT FROM touched AS t WHERE t.rel = a.attrelid AND t.att = a.attnum)
), note AS (
    SELECT 1 AS rank, format('rewrites %s%s', roots,
            CASE others WHEN 0 THEN '' WHEN 1 THEN ' and 1 child table'
                ELSE format(' and %s child tables', others) END) AS text
    FROM (
        SELECT string_agg(DISTINCT table_name, ', ') FILTER (WHERE parents = 0) AS roots,
            count(DISTINCT rel) FILTER (WHERE parents > 0 AND relkind = 'r') AS others
        FROM changed WHERE narrow
    ) AS rewritten
    WHERE roots IS NOT NULL
    UNION ALL
    SELECT 2, format('replaces the default of %s: %s', a.column_name, a.default_text)
    FROM adopted AS a JOIN adopted AS r ON r.is_root
    WHERE a.default_text <> $3
        AND (a.is_root OR a.default_text IS DISTINCT FROM r.default_text)
    UNION ALL
    SELECT 3, format('keeps sequence %s: %s', name, CASE
            WHEN NOT owned THEN 'not owned by the column'
            ELSE concat_ws('; ', 'used by ' || users, 'named in ' || namers) END)
    FROM used_sequence
    WHERE NOT identity AND (NOT owned OR users IS NOT NULL OR namers IS NOT NULL)
    UNION ALL
    SELECT 4, 'functions that call pg_get_serial_sequence() or lastval() will not find the IDs: '
        || string_agg(described, ', ' ORDER BY described)
    FROM (
        SELECT DISTINCT pg_describe_object('pg_proc'::regclass, body.oid, 0) AS described
        FROM body JOIN adopted AS a ON a.default_text <> $3 OR a.attidentity <> ''
        JOIN pg_class AS c ON c.oid = a.rel
        WHERE prosrc ~* 'pg_get_serial_sequence|lastval' AND prosrc ~* concat('(^|[^[:alnum:]_])',
            regexp_replace(replace(c.relname, '"', '""'), '[^[:alnum:]_]', '\\\&', 'g'),
            '($|[^[:alnum:]_])')
    ) AS asking
    HAVING count(*) > 0
    UNION ALL
    SELECT 5, 'columns that look like references, but have no foreign key, stay as they are: '
        || string_agg(name, ', ' ORDER BY number) || CASE WHEN max(total) > 10
            THEN format(' and %s more', max(total) - 10) ELSE '' END
    FROM look_alike WHERE number <= 10
    HAVING count(*) > 0
    UNION ALL
    SELECT 6, 'planner statistics of the widened columns are lost; after COMMIT, run: ANALYZE '
        || string_agg(DISTINCT table_name, ', ')
    -- It reaches partitions by itself, but not tables that inherit.
    FROM changed WHERE narrow AND NOT relispartition
    HAVING count(*) > 0
)
SELECT is_statement, text FROM (
    SELECT 'true' AS is_statement, text, rank FROM statement
    UNION ALL
    SELECT 'false', text, rank FROM note WHERE rank = 3 OR EXISTS (SELECT FROM statement)
) AS step
ORDER BY rank, text
