-- What adopting does, in order: statements (true) and what is worth knowing (false). $3 is the new
-- default, in the words of pg_get_expr().
, adopted AS (
    SELECT c.*, d.oid AS default_oid, pg_get_expr(d.adbin, d.adrelid) AS default_text,
        c.rel = $1 AS is_root
    FROM changed AS c LEFT JOIN pg_attrdef AS d ON d.adrelid = c.rel AND d.adnum = c.att
    WHERE c.adopted
), sequence_of AS (
    SELECT d.objid AS oid, true AS owned
    FROM adopted AS a
    JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.rel
        AND d.refobjsubid = a.att AND d.classid = 'pg_class'::regclass AND d.deptype = 'a'
    UNION ALL
    SELECT d.refobjid, false
    FROM adopted AS a
    JOIN pg_depend AS d ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.default_oid
        AND d.refclassid = 'pg_class'::regclass
), sequence AS (
    -- Those that an adopted column owns (other than by identity) or that its default reads.
    SELECT s.oid, format('%I.%I', n.nspname, s.relname) AS name, bool_or(o.owned) AS owned
    FROM sequence_of AS o
    JOIN pg_class AS s ON s.oid = o.oid AND s.relkind = 'S'
    JOIN pg_namespace AS n ON n.oid = s.relnamespace
    GROUP BY s.oid, n.nspname, s.relname
), used_sequence AS (
    SELECT s.*, (
            SELECT string_agg(described, ', ' ORDER BY described)
            FROM (
                SELECT classid, objid, objsubid FROM pg_depend
                WHERE refclassid = 'pg_class'::regclass AND refobjid = s.oid AND deptype <> 'i'
                    AND NOT (classid = 'pg_attrdef'::regclass AND EXISTS (
                        SELECT FROM adopted WHERE default_oid = objid))
                UNION
                SELECT refclassid, refobjid, refobjsubid FROM pg_depend
                WHERE classid = 'pg_class'::regclass AND objid = s.oid AND deptype = 'e'
            ) AS u
            LEFT JOIN pg_rewrite AS w ON u.classid = 'pg_rewrite'::regclass AND w.oid = u.objid,
            LATERAL (SELECT CASE w.rulename
                WHEN '_RETURN' THEN pg_describe_object('pg_class'::regclass, w.ev_class, 0)
                ELSE pg_describe_object(u.classid, u.objid, u.objsubid) END) AS d(described)
        ) AS users
    FROM sequence AS s
), root AS (
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
), step AS (
    SELECT 1 AS rank, false AS statement, format('rewrites %s%s', roots,
            ' and what inherits them (' || nullif(others, 0) || ')') AS text
    FROM (
        SELECT string_agg(DISTINCT table_name, ', ') FILTER (WHERE parents = 0) AS roots,
            count(DISTINCT rel) FILTER (WHERE parents > 0 AND relkind = 'r') AS others
        FROM changed WHERE narrow
    ) AS rewritten
    WHERE roots IS NOT NULL
    UNION ALL
    SELECT 2, false, format('replaces the default of %s: %s', a.column_name, a.default_text)
    FROM adopted AS a JOIN adopted AS r ON r.is_root
    WHERE a.default_text <> $3
        AND (a.is_root OR a.default_text IS DISTINCT FROM r.default_text)
    UNION ALL
    SELECT 3, false, format('keeps sequence %s: %s', name, CASE
            WHEN owned THEN 'used by ' || users ELSE 'not owned by the column' END)
    FROM used_sequence WHERE NOT owned OR users IS NOT NULL
    UNION ALL
    -- A partition has no identity of its own.
    SELECT 4, true, format('ALTER TABLE %s ALTER COLUMN %I DROP IDENTITY', table_name, name)
    FROM adopted WHERE NOT is_root AND attidentity <> '' AND NOT relispartition
    UNION ALL
    SELECT CASE a.rel WHEN $1 THEN 5 ELSE 6 END, true,
        format('ALTER TABLE %s %s', r.table_name, string_agg(a.text, ', ' ORDER BY a.att, a.rank))
    FROM action AS a JOIN (SELECT DISTINCT rel, table_name FROM root) AS r ON r.rel = a.rel
    GROUP BY a.rel, r.table_name
    UNION ALL
    SELECT 7, true, format('DROP SEQUENCE %s', name) FROM used_sequence
    WHERE owned AND users IS NULL
)
SELECT statement::text, text FROM step ORDER BY rank, text
