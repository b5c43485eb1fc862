-- A name for the partition of $1 that begins at $2, of at most $3 bytes, and whether it is free: that of the
-- parent and the time by the clock of the time zone, which is left out at midnight. Of two equal clock times,
-- when clocks are set back, the first has its zone's abbreviation. Where the parent's name is cut, a hash of
-- the whole keeps apart what begins alike. $4 is a number to be added, from 2 on.
SELECT candidate, (NOT EXISTS (
        SELECT FROM pg_class AS c
        WHERE c.relnamespace = parent.relnamespace AND c.relname = candidate::name
    ) AND NOT EXISTS (
        SELECT FROM pg_type AS t
        WHERE t.typnamespace = parent.relnamespace AND t.typname = candidate::name
    ))::text
FROM pg_class AS parent
CROSS JOIN (
    SELECT at, at::timestamp AS clock, at::timestamp::timestamptz = at AS is_last
    FROM (VALUES ($2)) AS moment (at)
) AS moment
CROSS JOIN LATERAL (
    SELECT to_char(clock, CASE
            WHEN is_last AND clock::time = '00:00' THEN '"_p"YYYYMMDD'
            WHEN date_trunc('second', clock) = clock THEN '"_p"YYYYMMDD_HH24MISS'
            ELSE '"_p"YYYYMMDD_HH24MISSMS' END)
        || CASE WHEN is_last THEN '' ELSE '_' || regexp_replace(to_char(at, 'tz'), '[^a-z0-9]', '', 'g') END
        || CASE WHEN $4 < 2 THEN '' ELSE '_' || $4 END AS suffix,
        '_' || lpad(to_hex(hashname(parent.relname)), 8, '0') AS hash
) AS tail
CROSS JOIN LATERAL (
    SELECT left(parent.relname, length)
        || CASE WHEN length < length(parent.relname) THEN hash ELSE '' END || suffix AS candidate
    FROM generate_series(length(parent.relname), 0, -1) AS length
    WHERE octet_length(left(parent.relname, length)) + octet_length(suffix)
        + CASE WHEN length < length(parent.relname) THEN octet_length(hash) ELSE 0 END <= $3
    ORDER BY length DESC LIMIT 1
) AS name
WHERE parent.oid = $1
