-- The defaults that have to be made bigint: what they are, and the expression as it is stored.
SELECT DISTINCT pg_describe_object('pg_attrdef'::regclass, d.oid, 0), d.adbin::text
FROM changed AS c JOIN pg_attrdef AS d ON d.adrelid = c.rel AND d.adnum = c.att
WHERE c.narrow
ORDER BY 1
