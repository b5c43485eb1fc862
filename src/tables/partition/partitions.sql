-- The partitions of $1 with their bounds: numbers, MINVALUE, MAXVALUE. The default partition has no bounds,
-- and one that is being detached does not take rows any more. (No backslash: what it means in a string is a
-- setting of the session.)
SELECT c.oid::text, c.relname::text, bound[1], bound[2]
FROM pg_inherits AS i
JOIN pg_class AS c ON c.oid = i.inhrelid
CROSS JOIN regexp_match(pg_get_expr(c.relpartbound, c.oid),
    'FROM [(]''?(MINVALUE|-?[0-9]+)''?[)] TO [(]''?(MAXVALUE|-?[0-9]+)''?[)]') AS bound
WHERE i.inhparent = $1 AND NOT i.inhdetachpending AND bound IS NOT NULL
