-- Where a unit of $3 hours begins, in milliseconds since 1970: hours as they pass, from each midnight on. A day
-- on which clocks are set has one more or one less, and the last unit of it may be shorter. From the day
-- before that of $1 to $4 units after $2, and a few more.
SELECT (extract(epoch FROM at) * 1000)::bigint::text
FROM (SELECT min(clock::date) AS first, max(clock::date) AS last
    FROM (VALUES ($1::timestamp), ($2::timestamp)) AS moment (clock)) AS days
CROSS JOIN generate_series(-1, (last - first) + $4 * $3 / 24 + 2) AS n
CROSS JOIN LATERAL (SELECT first + n::int AS day) AS day
CROSS JOIN LATERAL generate_series(day::timestamp::timestamptz,
    (day + 1)::timestamp::timestamptz - interval '1 microsecond', make_interval(hours => $3::int)) AS at
