-- The sequences of the columns that are adopted: what becomes of them.
, adopted AS (
    SELECT c.*, d.oid AS default_oid, pg_get_expr(d.adbin, d.adrelid) AS default_text,
        c.rel = $1 AS is_root
    FROM changed AS c LEFT JOIN pg_attrdef AS d ON d.adrelid = c.rel AND d.adnum = c.att
    WHERE c.adopted
), sequence_of AS (
    SELECT a.column_name, d.objid AS oid, d.deptype = 'i' AS identity, true AS owned
    FROM adopted AS a
    JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.rel
        AND d.refobjsubid = a.att AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    UNION ALL
    SELECT a.column_name, d.refobjid, false, false
    FROM adopted AS a
    JOIN pg_depend AS d ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.default_oid
        AND d.refclassid = 'pg_class'::regclass
), sequence AS (
    -- Those that an adopted column owns, by identity or not, or that its default reads.
    SELECT s.oid, s.relname, format('%I.%I', n.nspname, s.relname) AS name,
        min(o.column_name) AS column_name, bool_or(o.identity) AS identity, bool_or(o.owned) AS owned
    FROM sequence_of AS o
    JOIN pg_class AS s ON s.oid = o.oid AND s.relkind = 'S'
    JOIN pg_namespace AS n ON n.oid = s.relnamespace
    GROUP BY s.oid, n.nspname, s.relname
), body AS MATERIALIZED (
    -- Of functions whose body PostgreSQL keeps as a text only.
    SELECT oid, prosrc FROM pg_proc
    WHERE prosqlbody IS NULL
        AND prolang NOT IN (SELECT oid FROM pg_language WHERE lanname IN ('internal', 'c'))
), stored AS MATERIALIZED (
    -- Defaults and views that make a regclass of a text. They are read as they are stored: to deparse them, PostgreSQL
    -- locks what they are of, for which any role can have it wait.
    SELECT * FROM (
        SELECT 'pg_attrdef'::regclass AS classid, oid AS objid, adbin::text AS node FROM pg_attrdef
        WHERE oid NOT IN (SELECT default_oid FROM adopted WHERE default_oid IS NOT NULL)
        UNION ALL
        SELECT 'pg_class'::regclass, ev_class, ev_action::text FROM pg_rewrite
    ) AS n
    WHERE node ~ format(':funcid %s ', 'regclass(text)'::regprocedure::oid)
), naming AS MATERIALIZED (
    -- What may name a sequence in a text.
    SELECT 'pg_proc'::regclass AS classid, oid AS objid, prosrc AS text FROM body
    UNION
    -- A constant is a list of its bytes, as signed numbers, of which four are its length.
    SELECT s.classid, s.objid, (
        SELECT convert_from(decode(string_agg(lpad(to_hex(b.byte::int & 255), 2, '0'), '' ORDER BY b.n), 'hex'),
            getdatabaseencoding())
        FROM regexp_split_to_table(trim(c.bytes[1]), ' ') WITH ORDINALITY AS b(byte, n) WHERE b.n > 4)
    FROM stored AS s, regexp_matches(s.node,
        format(':consttype %s [^{}]*:constvalue [0-9]+ \[ ([-0-9 ]+)\]', 'text'::regtype::oid), 'g') AS c(bytes)
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
        ) AS users, (
            -- The name as a word, whatever is in it.
            SELECT string_agg(described, ', ' ORDER BY described)
            FROM naming AS t,
            LATERAL (SELECT pg_describe_object(t.classid, t.objid, 0)) AS d(described)
            WHERE t.text ~* concat('(^|[^[:alnum:]_])',
                regexp_replace(replace(s.relname, '"', '""'), '[^[:alnum:]_]', '\\\&', 'g'),
                '($|[^[:alnum:]_])')
        ) AS namers
    FROM sequence AS s
)
