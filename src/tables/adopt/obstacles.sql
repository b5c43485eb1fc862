-- What keeps the columns from being changed: the kind of the first obstacle, all of that kind.
, row_type AS (
    SELECT reltype AS type, table_name FROM changed WHERE narrow
    UNION
    -- Arrays, domains, ranges; and what has columns of it, but no rows.
    SELECT COALESCE(c.reltype, d.objid), t.table_name
    FROM row_type AS t
    JOIN pg_depend AS d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = t.type
    LEFT JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
        AND c.relkind IN ('c', 'v')
    WHERE d.classid = 'pg_type'::regclass OR c.oid IS NOT NULL
), lineage AS (
    -- From which of the tables that ALTER TABLE is used on a change reaches a column.
    SELECT rel, att, name, rel AS root FROM changed WHERE narrow AND parents = 0
    UNION
    SELECT c.rel, c.att, c.name, l.root
    FROM lineage AS l
    JOIN pg_inherits AS i ON i.inhparent = l.rel
    JOIN changed AS c ON c.rel = i.inhrelid AND c.name = l.name
), foreign_key AS (
    -- Those that PostgreSQL makes anew, by pairs of columns; a type that will be bigint is null.
    SELECT f.oid, f.confrelid, pair.ref,
        CASE WHEN r.rel IS NULL THEN ra.atttypid END AS type,
        CASE WHEN t.rel IS NULL THEN ta.atttypid END AS ref_type
    FROM pg_constraint AS f
    CROSS JOIN unnest(f.conkey, f.confkey) AS pair(att, ref)
    JOIN pg_attribute AS ra ON ra.attrelid = f.conrelid AND ra.attnum = pair.att
    JOIN pg_attribute AS ta ON ta.attrelid = f.confrelid AND ta.attnum = pair.ref
    LEFT JOIN changed AS r ON r.rel = f.conrelid AND r.att = pair.att AND r.narrow
    LEFT JOIN changed AS t ON t.rel = f.confrelid AND t.att = pair.ref AND t.narrow
    WHERE f.contype = 'f' AND f.conparentid = 0 AND EXISTS (
        SELECT FROM changed AS c WHERE c.narrow AND (c.rel = f.conrelid AND c.att = ANY (f.conkey)
            OR c.rel = f.confrelid AND c.att = ANY (f.confkey)))
), obstacle AS (
    SELECT 1 AS rank, 'owner' AS kind, format('%s (%I)', table_name, pg_get_userbyid(relowner)) AS fact
    FROM changed WHERE relowner <> (SELECT relowner FROM pg_class WHERE oid = $1)
    UNION ALL
    SELECT 2, 'schema', table_name FROM changed WHERE NOT has_schema_privilege(relnamespace, 'USAGE')
    UNION ALL
    SELECT 3, 'references', format('%s (%s)', pg_describe_object('pg_constraint'::regclass, f.oid, 0),
        f.confrelid::regclass)
    FROM foreign_key AS f
    WHERE NOT has_table_privilege(f.confrelid, 'REFERENCES')
        AND NOT has_column_privilege(f.confrelid, f.ref, 'REFERENCES')
    UNION ALL
    SELECT 4, 'session', table_name FROM changed WHERE pg_is_other_temp_schema(relnamespace)
    UNION ALL
    SELECT 5, 'security', table_name FROM changed WHERE row_security_active(rel)
    UNION ALL
    SELECT 6, 'generated', column_name FROM changed WHERE attgenerated <> ''
    UNION ALL
    SELECT 7, 'type', format('%s (%s)', column_name, format_type(t.type, NULL))
    FROM touched AS t JOIN pg_type ON pg_type.oid = t.type
    WHERE NOT t.narrow AND typlen BETWEEN 1 AND 7
    UNION ALL
    SELECT 8, 'inherited',
        format('%s (%s)', c.column_name, COALESCE(pg_partition_root(c.rel), i.inhparent)::regclass)
    FROM changed AS c
    JOIN pg_inherits AS i ON i.inhrelid = c.rel
    JOIN pg_attribute AS p ON p.attrelid = i.inhparent AND p.attname = c.name
    WHERE c.narrow AND c.attinhcount = 1 AND c.parents = 0
    UNION ALL
    SELECT 9, 'several', format('%s (%s)', c.column_name,
        string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno))
    FROM changed AS c
    JOIN pg_inherits AS i ON i.inhrelid = c.rel
    JOIN pg_attribute AS p ON p.attrelid = i.inhparent AND p.attname = c.name
    WHERE c.narrow AND c.attinhcount > 1 AND (c.attinhcount > c.parents OR 1 < (
        SELECT count(*) FROM lineage AS l WHERE l.rel = c.rel AND l.att = c.att))
    GROUP BY c.column_name
    UNION ALL
    SELECT 10, 'foreign', column_name FROM changed WHERE narrow AND relkind = 'f'
    UNION ALL
    SELECT 11, 'typed', column_name FROM changed WHERE narrow AND reloftype <> 0
    UNION ALL
    SELECT 12, 'partition_key', column_name FROM changed
    WHERE narrow AND EXISTS (
        SELECT FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND objid = rel AND objsubid = att
            AND refclassid = 'pg_class'::regclass AND refobjid = rel AND refobjsubid = 0)
    UNION ALL
    SELECT 13, 'dependent', format('%s (%s)', CASE
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
    -- PostgreSQL 18 makes the NOT NULL of a column that inherits anew under the name that it has above.
    SELECT 14, 'not_null', format('%s (%s)', pg_describe_object('pg_constraint'::regclass, k.oid, 0), p.conname)
    FROM lineage AS l
    JOIN pg_constraint AS k ON k.conrelid = l.rel AND k.contype = 'n' AND k.conkey = ARRAY[l.att]
        AND k.conislocal AND k.coninhcount > 0
    JOIN lineage AS r ON r.rel = l.root AND r.root = l.root AND r.name = l.name
    JOIN pg_constraint AS p ON p.conrelid = r.rel AND p.contype = 'n' AND p.conkey = ARRAY[r.att]
    WHERE k.conname <> p.conname
    UNION ALL
    -- From what is not an integer, a bigint is compared only by an implicit cast.
    SELECT 15, 'operator', format('%s (%s)',
        pg_describe_object('pg_constraint'::regclass, f.oid, 0),
        format_type(COALESCE(f.type, f.ref_type), NULL))
    FROM foreign_key AS f
    JOIN pg_type AS y ON y.oid = COALESCE(f.type, f.ref_type)
    WHERE (f.type IS NULL) <> (f.ref_type IS NULL) AND y.typtype <> 'd'
        AND y.oid NOT IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)
        AND NOT EXISTS (
            SELECT FROM pg_cast WHERE castcontext = 'i'
                AND castsource = COALESCE(f.type, 'bigint'::regtype)
                AND casttarget = COALESCE(f.ref_type, 'bigint'::regtype))
    UNION ALL
    SELECT 16, 'sequence', format('%s (%s; %s)', s.name, s.column_name, concat_ws('; ',
        'used by ' || s.users, 'named in ' || s.namers))
    FROM used_sequence AS s
    WHERE s.identity AND (s.users IS NOT NULL OR s.namers IS NOT NULL)
    UNION ALL
    SELECT 17, 'row_type', format('%s (%s)',
        pg_describe_object(d.classid, d.objid, d.objsubid), t.table_name)
    FROM row_type AS t
    JOIN pg_depend AS d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = t.type
    JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
        AND c.relkind IN ('r', 'm', 'p', 'f', 'i', 'I')
)
SELECT kind, string_agg(DISTINCT fact, ', ' ORDER BY fact)
FROM obstacle GROUP BY rank, kind ORDER BY rank LIMIT 1
