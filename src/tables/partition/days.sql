-- Where a unit of $3 days begins, counted from Monday, 3 January 2000, so that weeks begin on Mondays: from
-- the unit before that of $1 to $4 units after that of $2, and a few more.
WITH unit AS (
    SELECT floor((clock::date - date '2000-01-03')::numeric / $3)::int AS n
    FROM (VALUES ($1::timestamp), ($2::timestamp)) AS moment (clock)
), boundary AS (
    SELECT (date '2000-01-03' + (n * $3)::int)::timestamp AS clock
    FROM (SELECT min(n) AS first, max(n) AS last FROM unit) AS units
    CROSS JOIN generate_series(first - 1, last + $4 + 2) AS n
)
