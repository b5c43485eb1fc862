-- The columns that adopting the column $1 (table), $2 (number) has an effect on, for the query that
-- follows. A change spreads to the columns that inherit a column and to those that reference it.
WITH RECURSIVE edge AS MATERIALIZED (
    SELECT inhparent AS rel, NULL::int2 AS att, inhrelid AS next_rel, NULL::int2 AS next_att
    FROM pg_inherits
    UNION ALL
    -- Those of partitions, copied from the partitioned table's, would only add what inherits.
    SELECT f.confrelid, pair.att, f.conrelid, pair.next_att
    FROM pg_constraint AS f, unnest(f.confkey, f.conkey) AS pair(att, next_att)
    WHERE f.contype = 'f' AND f.conparentid = 0
), reached AS (
    -- parent: the table that the column was reached from, where it inherits it.
    SELECT attrelid AS rel, attnum AS att, attname AS name, true AS adopted, NULL::oid AS parent
    FROM pg_attribute WHERE attrelid = $1 AND attnum = $2::smallint
    UNION
    SELECT a.attrelid, a.attnum, a.attname, r.adopted AND e.att IS NULL,
        CASE WHEN e.att IS NULL THEN r.rel END
    FROM reached AS r
    JOIN edge AS e ON e.rel = r.rel AND COALESCE(e.att, r.att) = r.att
    JOIN pg_attribute AS a ON a.attrelid = e.next_rel AND NOT a.attisdropped
        AND CASE WHEN e.att IS NULL THEN a.attname = r.name ELSE a.attnum = e.next_att END
), touched AS MATERIALIZED (
    -- adopted: the column itself or one that inherits it; narrow: has to be widened; parents: how many
    -- of the columns that it inherits from are touched too.
    SELECT r.*, a.attname AS name, a.atttypid AS type,
        a.atttypid IN ('smallint'::regtype, 'integer'::regtype) AS narrow,
        a.attidentity, a.attgenerated, a.attinhcount, c.relkind, c.relispartition, c.relowner,
        c.reloftype, c.reltype, c.relnamespace,
        format('%I.%I', n.nspname, c.relname) AS table_name,
        format('%I.%I.%I', n.nspname, c.relname, a.attname) AS column_name
    FROM (
        SELECT rel, att, bool_or(adopted) AS adopted, count(DISTINCT parent) AS parents
        FROM reached GROUP BY rel, att
    ) AS r
    JOIN pg_attribute AS a ON a.attrelid = r.rel AND a.attnum = r.att
    JOIN pg_class AS c ON c.oid = r.rel
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
), changed AS MATERIALIZED (
    SELECT * FROM touched WHERE adopted OR narrow
)
