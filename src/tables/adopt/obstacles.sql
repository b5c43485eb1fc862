-- What keeps the columns from being changed: the kind of the first obstacle, all of that kind.
, row_type AS (
    SELECT reltype AS type, table_name FROM changed WHERE narrow
    UNION
    -- Arrays, domains, ranges; and what has columns of it, but no rows.
    SELECT COALESCE(c.reltype, d.objid), t.table_name
    FROM row_type AS t
    JOIN pg_depend AS d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = t.type
    LEFT JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
        AND c.relkind IN ('c', 'v', 'f')
    WHERE d.classid = 'pg_type'::regclass OR c.oid IS NOT NULL
), lineage AS (
    -- From which of the tables that ALTER TABLE is used on a change reaches a column.
    SELECT rel, att, name, rel AS root FROM changed WHERE narrow AND parents = 0
    UNION
    SELECT c.rel, c.att, c.name, l.root
    FROM lineage AS l
    JOIN pg_inherits AS i ON i.inhparent = l.rel
    JOIN changed AS c ON c.rel = i.inhrelid AND c.name = l.name
), obstacle AS (
    SELECT 1 AS rank, 'owner' AS kind, table_name AS fact FROM changed
    WHERE NOT pg_has_role(relowner, 'USAGE')
    UNION ALL
    SELECT 2, 'session', table_name FROM changed WHERE pg_is_other_temp_schema(relnamespace)
    UNION ALL
    SELECT 3, 'security', table_name FROM changed WHERE row_security_active(rel)
    UNION ALL
    SELECT 4, 'generated', column_name FROM changed WHERE attgenerated <> ''
    UNION ALL
    SELECT 5, 'type', format('%s (%s)', column_name, format_type(t.type, NULL))
    FROM touched AS t JOIN pg_type ON pg_type.oid = t.type
    WHERE NOT t.narrow AND typlen BETWEEN 1 AND 7
    UNION ALL
    SELECT 6, 'inherited',
        format('%s (%s)', c.column_name, COALESCE(pg_partition_root(c.rel), i.inhparent)::regclass)
    FROM changed AS c
    JOIN pg_inherits AS i ON i.inhrelid = c.rel
    JOIN pg_attribute AS p ON p.attrelid = i.inhparent AND p.attname = c.name
    WHERE c.narrow AND c.attinhcount = 1 AND c.parents = 0
    UNION ALL
    SELECT 7, 'several', format('%s (%s)', c.column_name,
        string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno))
    FROM changed AS c
    JOIN pg_inherits AS i ON i.inhrelid = c.rel
    JOIN pg_attribute AS p ON p.attrelid = i.inhparent AND p.attname = c.name
    WHERE c.narrow AND c.attinhcount > 1 AND (c.attinhcount > c.parents OR 1 < (
        SELECT count(*) FROM lineage AS l WHERE l.rel = c.rel AND l.att = c.att))
    GROUP BY c.column_name
    UNION ALL
    SELECT 8, 'foreign', column_name FROM changed WHERE narrow AND relkind = 'f'
    UNION ALL
    SELECT 9, 'typed', column_name FROM changed WHERE narrow AND reloftype <> 0
    UNION ALL
    SELECT 10, 'partition_key', column_name FROM changed
    WHERE narrow AND EXISTS (
        SELECT FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND objid = rel AND objsubid = att
            AND refclassid = 'pg_class'::regclass AND refobjid = rel AND refobjsubid = 0)
    UNION ALL
    SELECT 11, 'dependent', format('%s (%s)', CASE
            WHEN w.rulename = '_RETURN' THEN pg_describe_object('pg_class'::regclass, w.ev_class, 0)
            WHEN g.oid IS NOT NULL THEN
                'generated ' || pg_describe_object('pg_class'::regclass, g.adrelid, g.adnum)
            ELSE pg_describe_object(d.classid, d.objid, d.objsubid)
        END, c.column_name)
    FROM changed AS c
    JOIN pg_depend AS d
        ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.rel AND d.refobjsubid = c.att
    LEFT JOIN pg_class AS k ON d.classid = 'pg_class'::regclass AND k.oid = d.objid
    LEFT JOIN pg_rewrite AS w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
    LEFT JOIN pg_attrdef AS g ON d.classid = 'pg_attrdef'::regclass AND g.oid = d.objid
    LEFT JOIN pg_constraint AS f ON d.classid = 'pg_constraint'::regclass AND f.oid = d.objid
        AND f.confrelid = c.rel AND f.conparentid = 0
    LEFT JOIN pg_class AS index ON index.oid = f.conindid
    WHERE c.narrow
        -- All but what ALTER TABLE rebuilds or leaves alone. It cannot rebuild an index of a partitioned
        -- table while a foreign key references one of its partitions.
        AND d.classid <> 'pg_statistic_ext'::regclass
        AND (d.classid <> 'pg_constraint'::regclass OR index.relispartition)
        AND k.relkind IS DISTINCT FROM 'i' AND k.relkind IS DISTINCT FROM 'I'
        AND k.relkind IS DISTINCT FROM 'S'
        AND (g.adrelid, g.adnum) IS DISTINCT FROM (c.rel, c.att)
    UNION ALL
    SELECT 12, 'row_type', format('%s (%s)',
        pg_describe_object(d.classid, d.objid, d.objsubid), t.table_name)
    FROM row_type AS t
    JOIN pg_depend AS d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = t.type
    JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
        AND c.relkind IN ('r', 'm', 'p', 'i', 'I')
)
SELECT kind, string_agg(DISTINCT fact, ', ' ORDER BY fact)
FROM obstacle GROUP BY rank, kind ORDER BY rank LIMIT 1
