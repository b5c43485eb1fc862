-- The expressions and operator classes that PostgreSQL makes anew when the columns are widened: what they
-- belong to; a query for the expression, to be run under the search_path that the statements will run
-- under; the FROM item that it is over, as it will be and as it is; whether it is a condition; where it is a
-- column of an index, operator class, access method, input type and family; and the operator with which
-- an exclusion constraint compares it.
, source AS (
    SELECT t.rel,
        format('(SELECT %s, tableoid FROM ONLY %s) AS %I', string_agg(CASE
            WHEN c.rel IS NULL THEN quote_ident(a.attname)
            ELSE format('%1$I::bigint AS %1$I', a.attname) END, ', '), t.table_name, k.relname) AS wide,
        format('(SELECT %s, tableoid FROM ONLY %s) AS %I',
            string_agg(quote_ident(a.attname), ', '), t.table_name, k.relname) AS narrow
    FROM (SELECT DISTINCT rel, table_name FROM changed WHERE narrow) AS t
    JOIN pg_class AS k ON k.oid = t.rel
    JOIN pg_attribute AS a ON a.attrelid = t.rel AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN changed AS c ON c.rel = a.attrelid AND c.att = a.attnum AND c.narrow
    GROUP BY t.rel, t.table_name, k.relname
), dependent AS (
    SELECT DISTINCT c.rel, d.classid, d.objid
    FROM changed AS c
    JOIN pg_depend AS d
        ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.rel AND d.refobjsubid = c.att
    WHERE c.narrow
), rebuilt_index AS (
    SELECT i.*, pg_describe_object('pg_class'::regclass, i.indexrelid, 0) AS described, k.relam,
        x.conexclop
    FROM pg_index AS i
    JOIN pg_class AS k ON k.oid = i.indexrelid
    LEFT JOIN pg_constraint AS x ON x.conindid = i.indexrelid AND x.contype = 'x'
    WHERE EXISTS (
        SELECT FROM dependent AS d WHERE d.rel = i.indrelid
            AND (d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
                OR d.classid = 'pg_constraint'::regclass AND EXISTS (
                    SELECT FROM pg_constraint AS u WHERE u.oid = d.objid
                        AND u.conindid = i.indexrelid AND u.contype IN ('p', 'u', 'x'))))
), probe AS (
    SELECT i.indrelid AS rel, described,
        CASE i.indkey[n - 1]
            WHEN 0 THEN format('SELECT pg_catalog.pg_get_indexdef(%s, %s, false)', i.indexrelid, n)
            ELSE format('SELECT %L', quote_ident(a.attname))
        END AS query,
        false AS condition, true AS fixed, o.oid AS class, i.relam, o.opcintype, o.opcfamily,
        CASE WHEN p.oid IS NOT NULL THEN format('OPERATOR(%I.%s)', s.nspname, p.oprname) END AS exclusion
    FROM rebuilt_index AS i
    CROSS JOIN generate_series(1, i.indnkeyatts) AS n
    JOIN pg_opclass AS o ON o.oid = i.indclass[n - 1]
    LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n - 1]
    LEFT JOIN pg_operator AS p ON p.oid = i.conexclop[n]
    LEFT JOIN pg_namespace AS s ON s.oid = p.oprnamespace
    WHERE i.indkey[n - 1] = 0 AND i.indexprs::text !~ ':varattno 0 '
        OR EXISTS (SELECT FROM changed AS c
            WHERE c.rel = i.indrelid AND c.att = i.indkey[n - 1] AND c.narrow)
    UNION ALL
    SELECT indrelid, described,
        format('SELECT pg_catalog.pg_get_expr(indpred, indrelid) FROM pg_catalog.pg_index '
            'WHERE indexrelid OPERATOR(pg_catalog.=) %s', indexrelid),
        true, true, NULL, NULL, NULL, NULL, NULL
    FROM rebuilt_index WHERE indpred::text !~ ':varattno 0 '
    UNION ALL
    SELECT d.rel, pg_describe_object(d.classid, d.objid, 0),
        format('SELECT pg_catalog.pg_get_expr(conbin, conrelid) FROM pg_catalog.pg_constraint '
            'WHERE oid OPERATOR(pg_catalog.=) %s', d.objid),
        true, false, NULL, NULL, NULL, NULL, NULL
    FROM dependent AS d
    JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
    WHERE k.contype = 'c' AND k.conbin::text !~ ':varattno 0 '
    UNION ALL
    SELECT d.rel, pg_describe_object(d.classid, d.objid, 0),
        format('SELECT (pg_catalog.pg_get_statisticsobjdef_expressions(%s))[%s]', d.objid, n),
        false, false, NULL, 403, NULL, NULL, NULL
    FROM dependent AS d
    JOIN pg_statistic_ext AS e ON d.classid = 'pg_statistic_ext'::regclass AND e.oid = d.objid
    CROSS JOIN generate_series(1,
        cardinality(pg_get_statisticsobjdef_expressions(e.oid))) AS n
    WHERE e.stxexprs::text !~ ':varattno 0 '
)
SELECT p.described, p.query, s.wide, CASE WHEN p.fixed THEN s.narrow END, p.condition::text,
    p.class::text, p.relam::text, p.opcintype::text, p.opcfamily::text, p.exclusion
FROM probe AS p JOIN source AS s ON s.rel = p.rel
ORDER BY p.described, p.query
