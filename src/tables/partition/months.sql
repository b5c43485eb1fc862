-- Where a unit of $3 months begins, counted from January 2000: from the unit before that of $1 to $4 units
-- after that of $2, and a few more.
WITH unit AS (
    SELECT floor((extract(year FROM clock) * 12 + extract(month FROM clock) - 24001) / $3)::int AS n
    FROM (VALUES ($1::timestamp), ($2::timestamp)) AS moment (clock)
), boundary AS (
    SELECT timestamp '2000-01-01' + make_interval(months => (n * $3)::int) AS clock
    FROM (SELECT min(n) AS first, max(n) AS last FROM unit) AS units
    CROSS JOIN generate_series(first - 1, last + $4 + 2) AS n
)
